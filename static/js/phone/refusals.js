// What a refusal means to the person who holds the phone.

import { Untrusted } from "./number.js";
import { Refusal } from "./proof.js";
import { say } from "./screens.js";

// {kind, text} for a notice. `during` names the deed whose own words come first ("register", "change").
export function said(error, during = "") {
  if (error instanceof Untrusted) return { kind: "bad", text: say("untrusted") };
  if (!(error instanceof Refusal)) throw error;
  const { code, tries_left: tries, errors = [] } = error.problem;
  if (code === "wrong_password") return { kind: "bad", text: tries ? say("wrong_password", { tries }) : say("locked") };
  const weak = errors.some(({ field }) => field === "password" || field === "new");
  const keys = [weak ? "weak" : "", `${during}.${code}`, code];
  const key = keys.find((one) => one && say(one) !== one) ?? "refused";
  return { kind: code === "offline" || code === "unavailable" ? "warn" : "bad", text: say(key) };
}
