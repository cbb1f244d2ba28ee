// 설정 > 인증이력: the last 20 requests up to the newest for which the app was opened (seed S9), and what nobody opened.

import { api } from "./device.js";
import { one, rows, say, show, when } from "./screens.js";

const ending = ({ state, reason }) => {
  const exact = say(`end.${state}.${reason}`);
  return exact.startsWith("end.") ? say(`end.${state}`) : exact;
};

const about = (item) => ({
  partner: item.partner.name,
  purpose: say(`purpose.${item.purpose}`),
  at: when(item.created_at),
  end: ending(item),
  receipt: item.receipt,
});

const withReceipt = (row, item) => {
  one("details", row).hidden = !item.receipt;
};

export async function showHistory() {
  const { items, not_opened: unopened = [] } = await api("GET", "/app/v1/history");
  show("history");
  rows("history", items, about, withReceipt);
  rows("unopened", unopened, about, withReceipt);
  one("[data-unopened]").hidden = !unopened.length;
}
