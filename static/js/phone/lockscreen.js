// Notifications, newest first. A number is never among them: it comes as a silent data push.

import { announce, clock, one, rows, say } from "./screens.js";
import { payload } from "./radio.js";

const MOST = 20;
let notices = [];

const ofPush = (push) => {
  const { kind, notice, title, text } = payload(push);
  const own = kind === "notice" && say(`notice.${notice}`) !== `notice.${notice}` ? say(`notice.${notice}`) : text;
  return { kind: "push", app: say("app"), title: title === "안심" ? "" : title, text: own, at: push.at };
};
const ofMessage = (message) => ({ kind: "sms", app: say("sms"), title: message.from, text: message.text, at: message.at });

// Puts new pushes (wake-ups and notices) and text messages on the lock screen and says the newest one aloud.
export function notify(pushes, messages, onOpen) {
  const fresh = [...pushes.map(ofPush), ...messages.map(ofMessage)].filter(({ title, text }) => title || text);
  if (!fresh.length) return;
  notices = [...notices, ...fresh].sort((one_, other) => other.at.localeCompare(one_.at)).slice(0, MOST);
  const slots = ({ app, title, text, at }) => ({ app, title, text, at: clock(at) });
  rows("notices", notices, slots, (row, { kind }) => {
    row.classList.add(`push--${kind}`);
    const button = one("button", row);
    button.hidden = kind === "sms";
    button.addEventListener("click", onOpen);
  });
  announce(`${notices[0].app}. ${notices[0].title ?? ""} ${notices[0].text ?? ""}`);
}
