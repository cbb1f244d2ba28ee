#!/bin/sh
# 0에서 첫 결과까지 · From zero to the first verified result, with curl.
# ANSIM_KEY: sk_test_…   (make run: .run/demo.json > partners > key)
set -eu
ANSIM=${ANSIM:-http://127.0.0.1:8000} WORLD=${WORLD:-http://127.0.0.1:8001}
PHONE=${PHONE:-01030010001} REFERENCE="order-$$-$(date +%s)"

ansim() { # method, path, further options of curl
    method=$1 path=$2 && shift 2
    curl -sS --fail-with-body -X "$method" "$ANSIM/partner/v1$path" -H "Authorization: Bearer $ANSIM_KEY" "$@"
}
texts() { # the simulated phone: the numbers it got by SMS, newest first
    curl -sS "$WORLD/world/sms?to=$PHONE" | grep -o ' [0-9]\{6\} '
}
member() { # the first member of that name in some JSON, without quotes
    sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" | head -n 1
}

before=$(texts | wc -l)
# 1. 시작 · start
started=$(ansim POST /verifications -H "Idempotency-Key: $REFERENCE" -H 'Content-Type: application/json' -d '{
    "reference": "'"$REFERENCE"'", "purpose": "login",
    "identity": {"birthdate": "900505", "gender_digit": "1", "phone": "'"$PHONE"'"}}')
id=$(echo "$started" | tr ',' '\n' | member id)
# 2. 문자 · the text message arrives (in the sandbox you may read it)
until [ "$(texts | wc -l)" -gt "$before" ]; do sleep 0.2; done
code=$(texts | head -n 1 | tr -d ' ')
# 3. 확인 · what the person typed
ansim POST "/verifications/$id/confirm" -H 'Content-Type: application/json' -d "{\"code\": \"$code\"}" >/dev/null
# 4. 결과 · who it is
ansim GET "/verifications/$id"
