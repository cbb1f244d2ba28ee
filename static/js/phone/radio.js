// The phone's radio: every second, while somebody looks, what the simulated networks hold for this phone.

const PAUSE = 1000;

async function list(address) {
  try {
    const answer = await fetch(address, { cache: "no-store" });
    return answer.ok ? await answer.json() : [];
  } catch {
    return [];
  }
}

// Calls heard(new pushes, new text messages), oldest first; `token` is asked afresh because it can change.
export function listen({ phone, token, heard }) {
  const known = new Set();
  const fresh = (items) =>
    items
      .filter((item) => {
        const id = JSON.stringify(item);
        return !known.has(id) && known.add(id);
      })
      .sort((one, other) => one.at.localeCompare(other.at));
  const turn = async () => {
    if (!document.hidden) {
      const [pushes, messages] = await Promise.all([
        list(`/world/pushes?token=${encodeURIComponent(token())}`),
        list(`/world/sms?to=${encodeURIComponent(phone)}`),
      ]);
      // What a vendor refused or lost never reached the phone.
      const arrived = (item) => item.answered >= 200 && item.answered < 300;
      heard(fresh(pushes.filter(arrived)), fresh(messages.filter(arrived)));
    }
    setTimeout(turn, PAUSE);
  };
  turn();
}

// FCM puts our keys into message.data, APNs beside aps.
export function payload(push) {
  const body = typeof push.body === "string" ? JSON.parse(push.body) : push.body;
  const { message } = body;
  if (message) return { ...message.data, title: message.notification?.title, text: message.notification?.body };
  const { aps = {}, ...own } = body;
  const alert = typeof aps.alert === "string" ? { body: aps.alert } : (aps.alert ?? {});
  return { ...own, title: alert.title, text: alert.body };
}
