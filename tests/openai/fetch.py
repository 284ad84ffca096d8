"""Python requests: a chat completion, a stream, and a refusal."""

import json
import os

import requests

base, token = os.environ["MOTIF_BASE_URL"], os.environ["MOTIF_TOKEN"]
session = requests.Session()
session.headers["Authorization"] = f"Bearer {token}"

body = {"model": "style", "messages": [{"role": "user", "content": "same style York New"}]}
whole = session.post(f"{base}/chat/completions", json=body, timeout=60)
with session.post(f"{base}/chat/completions", json=body | {"stream": True}, stream=True, timeout=60) as stream:
    kind, lines = stream.headers["content-type"], [line.decode() for line in stream.iter_lines() if line]
refused = session.post(f"{base}/chat/completions", json=body | {"model": "unknown-model"}, timeout=60)
print(
    json.dumps(
        {
            "content": whole.json()["choices"][0]["message"]["content"],
            "kind": kind,
            "lines": lines,
            "refusal": {"status": refused.status_code, "code": refused.json()["error"]["code"]},
        }
    )
)
