#!/usr/bin/env python3
"""A GSM modem that speaks AT commands (3GPP TS 27.007 and 27.005) on an abstract socket, the port
that ModemManager's test mode opens. It shares nothing with the box: text messages are packed and
unpacked here by the letter of 3GPP TS 23.040.

Orders come as lines on standard input: `text NUMBER TEXT` (a text arrives), `refuse` and `allow`
(the network takes no texts, takes them again), `hang` (it answers nothing about texts any more).
What happens, and that an order was taken, is told as JSON lines on standard output.

    at_modem.py NAME [ICCID | none]

The SIM card has that number, or there is none.
"""
import json
import queue
import re
import socket
import sys
import threading
import time

ANSWERS = {
    "AT+GCAP": ["+GCAP: +CGSM,+DS,+ES"],
    "ATI": ["Lab", "AT-1", "REV 1"],
    "AT+CGMI": ["Lab"],
    "AT+CGMM": ["AT-1"],
    "AT+CGMR": ["1"],
    "AT+CGSN": ["356938035643809"],
    "AT+CIMI": ["460001234567890"],
    "AT+WS46=?": ["+WS46: (12,22,25,28,29)"],
    "AT+CGDCONT=?": ['+CGDCONT: (1-11),"IP",,,(0-2),(0-3)'],
    "AT+CGDCONT?": ['+CGDCONT: 1,"IP","cmnet","0.0.0.0",0,0'],
    "AT+CFUN?": ["+CFUN: 1"],
    "AT+CPIN?": ["+CPIN: READY"],
    "AT+CLCK=?": ['+CLCK: ("SC","FD","PS")'],
    "AT+CSCS=?": ['+CSCS: ("IRA","GSM","UCS2")'],
    "AT+CSCS?": ['+CSCS: "IRA"'],
    "AT+CREG?": ['+CREG: 2,1,"1A2B","0012ABCD",7'],
    "AT+CGREG?": ['+CGREG: 2,1,"1A2B","0012ABCD",7'],
    "AT+CEREG?": ['+CEREG: 2,1,"1A2B","0012ABCD",7'],
    "AT+COPS=3,2;+COPS?": ['+COPS: 0,2,"46000",7'],
    "AT+COPS=3,0;+COPS?": ['+COPS: 0,0,"LAB MOBILE",7'],
    "AT+CSQ": ["+CSQ: 20,99"],
    "AT+CMGF=?": ["+CMGF: (0,1)"],
    "AT+CPMS=?": ['+CPMS: ("ME","SM"),("ME","SM"),("ME","SM")'],
    "AT+CPMS?": ['+CPMS: "ME",0,99,"ME",0,99,"ME",0,99'],
    "AT+CNMI=?": ["+CNMI: (0,1,2),(0,1,2,3),(0,2),(0,1,2),(0,1)"],
    "AT+CSCA?": ['+CSCA: "+8613800100500",145'],
    "AT+CNUM": ['+CNUM: "","+8613912345678",145'],
    "AT+CRSM=176,12258,0,0,10": ['+CRSM: 144,0,"986800000000000000F1"'],
}
FINE = re.compile(
    r"AT($|Z|E0|V1|X4|&C1|H|\+(CMEE|IFC|CFUN|CSCS|CNMI|CMER|CREG|CGREG|CEREG|CGEREP|CMGF|CSMP|CRC|CLIP|CCWA|CSSN|CUSD|COPS)=)"
)


TELLING = threading.Lock()


def tell(**what):
    with TELLING:
        print(json.dumps(what, ensure_ascii=False), flush=True)


def swapped(digits):
    digits += "F" * (len(digits) % 2)
    return "".join(digits[i + 1] + digits[i] for i in range(0, len(digits), 2))


def unswapped(octets):
    text = octets.hex().upper()
    return "".join(text[i + 1] + text[i] for i in range(0, len(text), 2)).rstrip("F")


def seven_bits(octets, count, skip):
    bits = int.from_bytes(octets, "little")
    septets = [(bits >> (7 * i)) & 0x7F for i in range(count)]
    return "".join(chr(s) for s in septets[skip:])


def submitted(pdu):
    """An SMS-SUBMIT (TS 23.040 clause 9.2.2.2): number, part (reference, of, index), text."""
    data = bytes.fromhex(pdu)
    at = 1 + data[0]
    first = data[at]
    at += 2
    length, kind = data[at], data[at + 1]
    octets = data[at + 2 : at + 2 + (length + 1) // 2]
    number = ("+" if kind == 0x91 else "") + unswapped(octets)
    at += 2 + (length + 1) // 2
    coding = data[at + 1]
    at += 2
    at += {0: 0, 1: 7, 2: 1, 3: 7}[(first >> 3) & 3]
    count, body = data[at], data[at + 1 :]
    part, header = None, 0
    if first & 0x40:
        header = body[0] + 1
        if body[1] == 0:
            part = list(body[3:6])
    if coding & 0x0C == 0x08:
        text = body[header:count].decode("utf-16-be")
    else:
        text = seven_bits(body, count, (header * 8 + 6) // 7)
    return number, part, text


def delivered(number, text, second):
    """An SMS-DELIVER (TS 23.040 clause 9.2.2.1) in UCS-2."""
    digits = number.lstrip("+")
    body = text.encode("utf-16-be")
    kind = "91" if number.startswith("+") else "81"
    return (
        "00" + "04" + f"{len(digits):02X}" + kind + swapped(digits) + "00" + "08"
        + swapped(time.strftime("%y%m%d%H%M%S", time.gmtime(second + 8 * 3600))) + "23" + f"{len(body):02X}" + body.hex().upper()
    )


class Modem:
    def __init__(self):
        self.lock = threading.Lock()
        self.ports = set()
        self.store, self.storage = {}, "ME"
        self.reference = 0
        self.refuses = False
        self.hangs = False
        self.second = 0
        self.coming = queue.Queue()
        self.read = threading.Event()

    def arrive(self, number, text):
        # A network that takes a second for each, as a real one does.
        self.second = max(int(time.time()), self.second + 1)
        self.coming.put(delivered(number, text, self.second))

    def bring(self):
        """Brings texts as a radio network does: one after the other. ModemManager 1.20 does not
        read one that comes while it reads another."""
        while True:
            pdu = self.coming.get()
            with self.lock:
                index = max(self.store, default=0) + 1
                self.store[index] = pdu
                self.read.clear()
                ports = list(self.ports)
            for port in ports:
                say(port, f'+CMTI: "ME",{index}')
            tell(event="arrived")
            if self.read.wait(5):
                time.sleep(0.2)

    def serve(self, port):
        with self.lock:
            self.ports.add(port)
        try:
            self.talk(port)
        except OSError:
            pass
        with self.lock:
            self.ports.discard(port)

    def talk(self, port):
        rest, text = b"", False
        while True:
            data = port.recv(4096)
            if not data:
                return
            rest += data
            while True:
                end = b"\x1a" if text else b"\r"
                line, found, after = rest.partition(end)
                if not found:
                    break
                rest = after
                line = line.strip().decode("ascii", "replace")
                if text:
                    text = False
                    self.submit(port, line)
                elif line:
                    text = self.command(port, line)

    def submit(self, port, pdu):
        if self.hangs:
            tell(event="hung")
            return
        if self.refuses:
            tell(event="refused")
            say(port, "+CMS ERROR: 30")
            return
        number, part, text = submitted(pdu)
        self.reference += 1
        tell(event="sent", number=number, part=part, text=text)
        say(port, f"+CMGS: {self.reference}", "OK")

    def command(self, port, line):
        upper = line.upper()
        if upper.startswith("AT+CMGS="):
            port.sendall(b"\r\n> ")
            return True
        if upper in ANSWERS:
            answer = ANSWERS[upper]
            say(port, *answer, *([] if answer[0].startswith("+CME ERROR") else ["OK"]))
        elif found := re.fullmatch(r"AT\+CMGR=(\d+)", upper):
            pdu = self.store.get(int(found[1]))
            if pdu:
                say(port, f"+CMGR: 0,,{len(pdu) // 2 - 1}\r\n{pdu}", "OK")
                self.read.set()
            else:
                say(port, "+CMS ERROR: 321")
        elif found := re.fullmatch(r"AT\+CMGD=(\d+)", upper):
            self.store.pop(int(found[1]), None)
            tell(event="deleted")
            say(port, "OK")
        elif upper == "AT+CMGL=4":
            for index, pdu in sorted(self.store.items()) if self.storage == "ME" else ():
                say(port, f"+CMGL: {index},0,,{len(pdu) // 2 - 1}\r\n{pdu}")
            say(port, "OK")
        elif upper.startswith("AT+CPMS="):
            self.storage = upper[9:11]
            say(port, "+CPMS: 0,99,0,99,0,99", "OK")
        elif upper.startswith("AT+CLCK="):
            say(port, "+CLCK: 0", "OK")
        elif FINE.match(upper):
            if upper.startswith("AT+CFUN=1,1"):
                tell(event="reset")
            say(port, "OK")
        else:
            say(port, "ERROR")
        return False


def say(port, *lines):
    port.sendall("".join(f"\r\n{line}\r\n" for line in lines).encode())


def listen(modem, listener):
    while True:
        port, _ = listener.accept()
        threading.Thread(target=modem.serve, args=(port,), daemon=True).start()


def put_in(card):
    if card == "none":
        for command in ("AT+CPIN?", "AT+CIMI", "AT+CRSM=176,12258,0,0,10", "AT+CLCK=?"):
            ANSWERS[command] = ["+CME ERROR: 10"]
    else:
        ANSWERS["AT+CRSM=176,12258,0,0,10"] = [f'+CRSM: 144,0,"{swapped(card)}"']


def main():
    modem = Modem()
    for card in sys.argv[2:]:
        put_in(card)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(b"\0abstract:" + sys.argv[1].encode())
    listener.listen(8)
    threading.Thread(target=listen, args=(modem, listener), daemon=True).start()
    threading.Thread(target=modem.bring, daemon=True).start()
    tell(event="ready")
    for line in sys.stdin:
        order, _, rest = line.rstrip("\n").partition(" ")
        if order == "text":
            number, _, text = rest.partition(" ")
            modem.arrive(number, text)
        else:
            modem.refuses, modem.hangs = order == "refuse", order == "hang"
        tell(event="ordered")


main()
