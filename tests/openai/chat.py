"""A stock OpenAI client: only the base URL and the API key are set."""

import json
import os

import openai

client = openai.OpenAI(base_url=os.environ["MOTIF_BASE_URL"], api_key=os.environ["MOTIF_TOKEN"], max_retries=0)
messages = [{"role": "user", "content": "same style York New"}]

whole = client.chat.completions.create(model="style", messages=messages)
stream = client.chat.completions.create(model="style", messages=messages, stream=True)
deltas = [chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices]

refusal = None
try:
    client.chat.completions.create(model="unknown-model", messages=messages)
except openai.APIStatusError as error:
    refusal = {"status": error.status_code, "code": error.code}
print(
    json.dumps(
        {
            "content": whole.choices[0].message.content,
            "usage": whole.usage.total_tokens,
            "deltas": deltas,
            "refusal": refusal,
        }
    )
)
