// The virtual phone: the app API's protocol (docs/app-protocol.md) in a browser, with real keys. Here the buttons are wired.

import { api, facts, forget, pushToken, register, registered, renewPushToken, switchOn } from "./device.js";
import {
  backToList, block, blocked, choose, look, pending, release, releases, search, setStopAll, stopAll, unblock,
  waitsAtTheDesk, withdraw,
} from "./controls.js";
import { showHistory } from "./history.js";
import { sawMessage, sawPush } from "./inside.js";
import { notify } from "./lockscreen.js";
import { listen, payload } from "./radio.js";
import { said } from "./refusals.js";
import { askPassword, copyNumber, denied, deny, doubt, numberArrived, request, unlock, waiting } from "./requests.js";
import { clock, fill, one, onPress, onSend, say, screen, settings, show, tell } from "./screens.js";

// Every press ends in a screen or in a notice. Who is no longer registered is asked to register again.
function safely(action, during) {
  return async (...given) => {
    try {
      await action(...given);
    } catch (error) {
      const notice = said(error, during);
      if (error.status === 401) {
        await forget();
        show("register", {}, notice);
      } else if (error.status === 409 || error.status === 404 && !during) show("waiting", {}, notice);
      else tell(notice);
    }
  };
}

const openApp = safely(() => (registered() ? waiting() : show("register")));

async function settle(notice = null) {
  const waits = await waitsAtTheDesk();
  show("settings", await facts(), notice);
  one("[data-pending]").hidden = !waits.length;
}

const screens = {
  lock: () => show("lock"),
  app: openApp,
  request: () => request(),
  doubt,
  password: () => {
    askPassword();
    emptyPad();
  },
  settings: safely(() => settle()),
  stopall: safely(() => stopAll()),
  blocked: safely(() => blocked()),
  releases: safely(() => releases()),
  pending: safely(pending),
  history: safely(showHistory),
  change: () => show("change"),
  remove: () => show("remove"),
};

const sixDigits = (typed) => typed.normalize("NFKC").replace(/\D/g, "");
// Crockford's base32: O is 0, I and L are 1; blanks and hyphens are only for the eye.
const activationCode = (typed) =>
  typed.normalize("NFKC").toUpperCase().replace(/[\s-]/g, "").replaceAll("O", "0").replace(/[IL]/g, "1");

const twoAlike = (first, second) => {
  if (sixDigits(first).length === 6 && sixDigits(first) === sixDigits(second)) return true;
  tell({ kind: "bad", text: say(sixDigits(first).length === 6 ? "not_alike" : "six_digits") });
  return false;
};

onPress("[data-go]", (button) => screens[button.dataset.go]());
onPress("[data-deny]", safely((button) => deny(button.dataset.deny)));
onPress("[data-block-this]", safely(() => block(denied())));
onPress("[data-stop]", safely(() => setStopAll(true)));
onPress("[data-find]", safely((button) => look(button.dataset.find)));
onPress("[data-choose]", safely((button) => choose(button.dataset.choose)));
onPress("[data-back-to-list]", safely(backToList));
onPress("[data-withdraw]", safely((button) => withdraw(button.dataset.withdraw)));
onPress("[data-pending-stop]", safely(async () => {
  await api("POST", "/app/v1/pending/stop");
  await settle({ kind: "ok", text: say("pending_stopped") });
}));
onPress("[data-copy]", safely(copyNumber));
onPress("[data-renew]", safely(async () => {
  await renewPushToken();
  tell({ kind: "ok", text: say("renewed") });
}));
onPress("[data-code]", (button) => {
  one("[name=code]", screen("register")).value = button.dataset.code;
  one("[name=password]", screen("register")).focus();
});

onSend("register", safely(async ({ code, password, again }) => {
  if (!twoAlike(password, again)) return;
  await register(activationCode(code), sixDigits(password));
  await waiting({ kind: "ok", text: say("registered") });
}, "register"));

onSend("password", safely(async ({ password }) => {
  if (sixDigits(password).length !== 6) return tell({ kind: "bad", text: say("six_digits") });
  await unlock(sixDigits(password)).finally(emptyPad);
}, "unlock"));

onSend("change", safely(async ({ current, password, again }) => {
  if (!twoAlike(password, again)) return;
  await api("POST", "/app/v1/password", { current: sixDigits(current), new: sixDigits(password) });
  await settle({ kind: "ok", text: say("changed") });
}, "change"));

// What turns protection down takes six digits first.
const withPassword = (action) => safely(async ({ password, ...given }) => {
  const digits = sixDigits(password);
  if (digits.length !== 6) return tell({ kind: "bad", text: say("six_digits") });
  await action(digits, given);
}, "down");

onSend("stopall", withPassword((password) => setStopAll(false, password)));
onSend("unblock", withPassword(unblock));
onSend("release", withPassword((password, { minutes }) => release(Number(minutes), password)));
onSend("find", safely(({ q }) => search(q)));

onSend("remove", safely(async ({ password }) => {
  await api("POST", "/app/v1/device/remove", { password: sixDigits(password) });
  await forget();
  show("register", {}, { kind: "ok", text: say("removed") });
}, "remove"));

// The pad keeps its order: shuffled pads defeat memory and screen readers, and the server counts the tries.
const pad = one("[name=password]", screen("password"));
const dots = () => {
  const length = sixDigits(pad.value).length;
  fill(screen("password"), { dots: "●".repeat(length) + "○".repeat(6 - length), typed: say("typed", { length }) });
};
const emptyPad = () => {
  pad.value = "";
  dots();
};
pad.addEventListener("input", dots);
onPress("[data-pad]", ({ dataset }) => {
  pad.value = dataset.pad === "back" ? pad.value.slice(0, -1) : (pad.value + dataset.pad).slice(0, 6);
  dots();
});

// What the task switcher would photograph must not hold the number.
document.addEventListener("visibilitychange", () => {
  one("[data-secret]", screen("number")).hidden = document.hidden;
});

function heard(pushes, messages) {
  for (const push of pushes) {
    sawPush(push);
    const content = payload(push);
    if (content.kind === "number") safely(numberArrived)(content);
  }
  messages.forEach(sawMessage);
  notify(pushes, messages, openApp);
}

const tick = () => fill(document, { now: clock(Date.now()) });
setInterval(tick, 1000);
tick();
await switchOn();
show("lock");
listen({ phone: settings.phone, token: pushToken, heard });
