// 설정 > 인증이력: the last 20 requests up to the newest for which the app was opened (seed S9), and what nobody opened.

import { api } from "./device.js";
import { said } from "./refusals.js";
import { deny } from "./requests.js";
import { one, rows, say, show, tell, when } from "./screens.js";

const ending = ({ state, reason }) => {
  const exact = say(`end.${state}.${reason}`);
  return exact.startsWith("end.") ? say(`end.${state}`) : exact;
};

const about = (item) => ({
  partner: item.partner.name,
  purpose: say(`purpose.${item.purpose}`),
  domain: item.partner.domain,
  at: when(item.created_at),
  way: item.released ? say("way.released") : "",
  end: ending(item),
  receipt: item.receipt,
});

// What went by text message during a release waits for nobody in the app: here it can still be stopped.
const withDeeds = (row, item) => {
  one("details", row).hidden = !item.receipt;
  const button = one("button", row);
  button.hidden = Boolean(item.ended_at) || !(item.released || item.channel === "app");
  button.addEventListener("click", () => deny("not_me", item).catch((error) => tell(said(error))));
};

export async function showHistory() {
  const { items, not_opened: unopened = [] } = await api("GET", "/app/v1/history");
  show("history");
  rows("history", items, about, withDeeds);
  rows("unopened", unopened, about, withDeeds);
  one("[data-unopened]").hidden = !unopened.length;
  one('[data-empty="history"]').hidden = items.length + unopened.length > 0;
}
