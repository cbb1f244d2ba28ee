curl -sS "${WORLD:-http://127.0.0.1:8001}/world/faults" -d '{"target": "carrier", "mode": "error", "count": 1}'
