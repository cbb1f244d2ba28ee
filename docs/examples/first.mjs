// 0에서 첫 결과까지 · From zero to the first verified result. Nothing to install: Node 18 or later.
// ANSIM_KEY: sk_test_…   (make run: .run/demo.json > partners > key)
const { ANSIM = 'http://127.0.0.1:8000', WORLD = 'http://127.0.0.1:8001', PHONE = '01030010003', ANSIM_KEY } = process.env;

async function ansim(method, path, body, headers = {}) {
  const answer = await fetch(`${ANSIM}/partner/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${ANSIM_KEY}`, 'content-type': 'application/json', ...headers },
    body: body && JSON.stringify(body),
  });
  const told = await answer.json();
  if (!answer.ok) throw new Error(`${told.code}: ${told.detail} ${told.type}`);
  return told;
}

// The simulated phone: the numbers it got by SMS, newest first.
async function texts() {
  const list = await (await fetch(`${WORLD}/world/sms?to=${PHONE}`)).json();
  return list.map(({ text }) => / (\d{6}) /.exec(text)[1]);
}

const before = (await texts()).length;
// 1. 시작 · start
const identity = { birthdate: '881111', gender_digit: '1', phone: PHONE };
const asked = { reference: `order-${crypto.randomUUID()}`, purpose: 'login', identity };
const { id } = await ansim('POST', '/verifications', asked, { 'idempotency-key': asked.reference });
// 2. 문자 · the text message arrives (in the sandbox you may read it)
while ((await texts()).length === before) await new Promise((go) => setTimeout(go, 200));
// 3. 확인 · what the person typed
await ansim('POST', `/verifications/${id}/confirm`, { code: (await texts())[0] });
// 4. 결과 · who it is
console.log(JSON.stringify(await ansim('GET', `/verifications/${id}`), null, 2));
