// For partner sites: <script src="https://…/static/js/ansim.js"></script>, then inside the click:
//
//   ansim.verify(() => fetch("/your/start", {method: "POST"}).then((r) => r.json()).then((b) => b.window_url), (end) => …)
//
// The first argument asks your server for a window_url. The second hears {verification_id, state}, or {closed: true} when
// the customer shut the popup. Then ask the API from your server: what a browser says proves nothing.
// Where popups are blocked or the screen is small, the same tab goes to the window and comes back to your return_url.
(() => {
  const FEATURES = "popup,width=430,height=680";
  const SMALL = "(max-width: 40rem)";
  let popup = null;

  async function verify(start, done) {
    if (popup && !popup.closed) return popup.focus();
    // Opened before anything is awaited: browsers block a popup that is not opened by the click itself.
    popup = matchMedia(SMALL).matches ? null : window.open("about:blank", "ansim", FEATURES);
    let address;
    try {
      address = await start();
    } catch (error) {
      popup?.close();
      throw error;
    }
    if (!popup) return location.assign(address);
    listen(popup, new URL(address).origin, done);
    popup.location.replace(address);
  }

  function listen(opened, origin, done) {
    let ended = false;
    const finish = (end) => {
      if (ended) return;
      ended = true;
      clearInterval(watching);
      removeEventListener("message", hear);
      done(end);
    };
    const hear = (event) => {
      if (event.origin !== origin || event.source !== opened || event.data?.type !== "ansim.verification") return;
      finish({ verification_id: event.data.verification_id, state: event.data.state });
    };
    // A popup posts its message just before it closes: give that message the time to arrive.
    const watching = setInterval(() => {
      if (opened.closed) setTimeout(finish, 300, { closed: true });
    }, 500);
    addEventListener("message", hear);
  }

  window.ansim = { verify };
})();
