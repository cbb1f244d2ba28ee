// 0에서 첫 결과까지 · From zero to the first verified result. Node 18 or later, nothing to install.
import { randomUUID } from 'node:crypto';

const { ANSIM = 'http://127.0.0.1:8000', ANSIM_KEY } = process.env;

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

// 1. 시작 · start. 010-0000-0001 is a magic number: it needs no phone
const identity = { birthdate: '900505', gender_digit: '1', phone: '010-0000-0001' };
const asked = { reference: `order-${randomUUID()}`, purpose: 'login', identity };
const { id } = await ansim('POST', '/verifications', asked, { 'idempotency-key': asked.reference });
// 2. 사람이 번호를 입력 · the person types the number; a magic number's is always 123456
await ansim('POST', `/verifications/${id}/confirm`, { code: '123456' });
// 3. 결과 · who it is
console.log(JSON.stringify(await ansim('GET', `/verifications/${id}`), null, 2));
