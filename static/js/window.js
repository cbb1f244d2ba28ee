// The hosted window's extras. Every step works without this file: it only counts down, looks again by itself,
// moves the focus to what changed, and brings the result home.

const one = (selector) => document.querySelector(selector);

function focusWhatChanged() {
  const target = one("[data-errors]") ?? one("[data-focus]");
  target?.focus();
  const wrong = one("input.code[aria-invalid]");
  wrong?.addEventListener("focus", () => wrong.select());
}

// Seconds come from the server; the wall clock of this computer may be wrong or moved.
function countDown(left) {
  const start = performance.now();
  const total = Number(left.dataset.left);
  const clock = left.querySelector("[data-clock]");
  const spoken = left.querySelector("[data-spoken]");
  const say = one("[data-say]");
  const announced = new Set([60, 20].filter((second) => second >= total));
  const tick = () => {
    const rest = Math.max(0, Math.ceil(total - (performance.now() - start) / 1000));
    clock.textContent = `${Math.floor(rest / 60)}:${String(rest % 60).padStart(2, "0")}`;
    const words = rest > 60 ? left.dataset.minutes.replace("{}", Math.ceil(rest / 60)) : left.dataset.seconds.replace("{}", rest);
    if (rest % 10 === 0) spoken.textContent = words;
    const mark = [0, 20, 60].find((second) => rest <= second);
    if (mark !== undefined && !announced.has(mark)) {
      announced.add(mark);
      say.textContent = left.getAttribute(`data-say-${mark}`);
    }
    if (rest > 0) return void setTimeout(tick, 250);
    one("[data-over]")?.removeAttribute("hidden");
  };
  say.textContent = left.textContent.replace(clock.textContent, "").trim();
  tick();
}

// A double click sends once; a press that came to nothing may be repeated after PATIENCE. Where the browser believes to be
// offline (it says so too on a machine that reaches nothing but us) we ask ourselves first, so that what was typed stays.
const PATIENCE = 5000; // ms
const reachUs = () => fetch(`${location.pathname}/state`, { cache: "no-store" });

function sendOnce(form) {
  let sent = false;
  let reached = false;
  form.addEventListener("submit", (event) => {
    if (sent) return event.preventDefault();
    sent = true;
    setTimeout(() => (sent = false), PATIENCE);
    if (navigator.onLine || reached) return;
    event.preventDefault();
    const send = () => {
      sent = false;
      reached = true;
      form.requestSubmit(event.submitter);
    };
    const tell = () => {
      sent = false;
      one("[data-offline]").hidden = false;
    };
    reachUs().then(send, tell);
  });
}

function tellConnection(notice) {
  addEventListener("offline", () => reachUs().catch(() => (notice.hidden = false)));
  addEventListener("online", () => (notice.hidden = true));
}

// Every 2 s for half a minute, 3 s for a minute, then 5 s. A hidden tab does not ask, and asks once when it is back.
function watch(place) {
  const start = performance.now();
  const { stateUrl, state, address } = place.dataset;
  let etag = "";
  let failures = 0;
  let timer = 0;
  const pause = () => {
    const seconds = (performance.now() - start) / 1000;
    return seconds < 30 ? 2000 : seconds < 90 ? 3000 : 5000;
  };
  const look = async () => {
    clearTimeout(timer);
    if (document.hidden) return;
    try {
      const answer = await fetch(stateUrl, { headers: etag ? { "If-None-Match": etag } : {}, cache: "no-store" });
      if (answer.status !== 304) {
        if (!answer.ok) throw new Error(String(answer.status));
        etag = answer.headers.get("ETag") ?? "";
        if ((await answer.json()).state !== state) return location.replace(address);
      }
      failures = 0;
      one("[data-offline]").hidden = true;
    } catch {
      failures += 1;
      if (failures === 3) one("[data-offline]").hidden = false;
    }
    timer = setTimeout(look, pause());
  };
  document.addEventListener("visibilitychange", look);
  addEventListener("online", look);
  timer = setTimeout(look, pause());
}

// 9001011 or 900101-1, pasted into the first input, fills both. Nothing moves while somebody types.
function spreadBirth(group) {
  const [birthdate, digit] = group.querySelectorAll("input");
  birthdate.addEventListener("paste", (event) => {
    const digits = event.clipboardData.getData("text").normalize("NFKC").replace(/\D/g, "");
    if (digits.length < 7) return;
    event.preventDefault();
    birthdate.value = digits.slice(0, 6);
    digit.value = digits[6];
  });
}

// The partner is told at any end; only success closes the popup or leaves by itself, and not who came back to look.
function goHome(back) {
  const message = one("#message");
  const { origin, kind } = back.dataset;
  const popup = Boolean(message && origin && window.opener);
  if (popup) {
    window.opener.postMessage(JSON.parse(message.textContent), origin);
    back.addEventListener("click", (event) => {
      event.preventDefault();
      window.close();
    });
  }
  const cameBack = performance.getEntriesByType("navigation")[0]?.type === "back_forward";
  if (kind !== "ok" || cameBack) return;
  if (popup) window.close();
  else if (!("stay" in back.dataset)) location.replace(back.href);
}

focusWhatChanged();
for (const notice of document.querySelectorAll("[data-offline]")) tellConnection(notice);
for (const form of document.forms) sendOnce(form);
for (const left of document.querySelectorAll("[data-left]")) countDown(left);
for (const place of document.querySelectorAll("[data-state-url]")) watch(place);
for (const group of document.querySelectorAll("[data-birth]")) spreadBirth(group);
for (const back of document.querySelectorAll("[data-back]")) goHome(back);
