#!/bin/sh
# 0에서 첫 결과까지 · From zero to the first verified result.
set -eu
reference="order-$$-$(date +%s)"

ansim() { # method, path, further options of curl
    method=$1 path=$2 && shift 2
    curl -sS --fail-with-body -X "$method" "${ANSIM:-http://127.0.0.1:8000}/partner/v1$path" \
        -H "Authorization: Bearer $ANSIM_KEY" -H 'Content-Type: application/json' "$@"
}

# 1. 시작 · start. 010-0000-0001 is a magic number: it needs no phone
started=$(ansim POST /verifications -H "Idempotency-Key: $reference" -d '{
    "reference": "'"$reference"'", "purpose": "login",
    "identity": {"birthdate": "900505", "gender_digit": "1", "phone": "010-0000-0001"}}')
id=$(echo "$started" | sed 's/.*"id": *"\([^"]*\)".*/\1/')
# 2. 사람이 번호를 입력 · the person types the number; a magic number's is always 123456
ansim POST "/verifications/$id/confirm" -d '{"code": "123456"}' >/dev/null
# 3. 결과 · who it is
ansim GET "/verifications/$id"
