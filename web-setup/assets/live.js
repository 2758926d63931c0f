// Keeps the page as the box is: on each change it fetches the page anew and puts in what differs.
// When the box is not heard, the page says so; it must never look current then.
const SILENCE_MS = 25_000; // the box beats every 10 s
const REFRESH_MS = 20_000; // ages grow without a change
const parts = ["as-of", "hero", "alerts", "devices", "at-home", "plan", "ways", "rules", "box", "foot"];
let heard = 0;
let busy = false;
let again = false;

function lost(is) {
  document.body.classList.toggle("is-lost", is);
  document.getElementById("lost").hidden = !is;
}

// The element itself stays, so that a screen reader goes on listening to it.
function renew(old, now) {
  old.replaceChildren(...now.childNodes);
  old.hidden = now.hidden;
  if (now.ariaLive) old.ariaLive = now.ariaLive;
}

async function refresh() {
  if (busy) {
    again = true;
    return;
  }
  busy = true;
  try {
    const answer = await fetch(location.href, { cache: "no-store" });
    if (!answer.ok) throw new Error(answer.statusText);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const id of parts) {
      const [old, now] = [document.getElementById(id), fresh.getElementById(id)];
      if (old && now && !old.isEqualNode(now)) renew(old, now);
    }
    document.title = fresh.title;
    document.body.dataset.mood = fresh.body.dataset.mood;
    lost(Date.now() - heard > SILENCE_MS);
  } catch {
    lost(true);
  } finally {
    busy = false;
    if (again) {
      again = false;
      refresh();
    }
  }
}

const stream = new EventSource("/api/live");
const changed = () => {
  heard = Date.now();
  refresh();
};
for (const name of ["status", "alert", "alert_over", "device", "box"]) {
  stream.addEventListener(name, changed);
}
stream.addEventListener("beat", () => {
  heard = Date.now();
  lost(false);
});
stream.addEventListener("error", () => {
  lost(true);
  // A refused stream is not tried again by the browser.
  if (stream.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), REFRESH_MS);
});
setInterval(() => {
  if (Date.now() - heard > SILENCE_MS) lost(true);
  else if (!document.hidden) refresh();
}, REFRESH_MS);
document.addEventListener("visibilitychange", () => document.hidden || refresh());
