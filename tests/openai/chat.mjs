// A stock OpenAI client: only the base URL and the API key are set.
import OpenAI from "openai";

const client = new OpenAI({ baseURL: process.env.MOTIF_BASE_URL, apiKey: process.env.MOTIF_TOKEN, maxRetries: 0 });
const messages = [{ role: "user", content: "same style York New" }];

const whole = await client.chat.completions.create({ model: "style", messages });
const stream = await client.chat.completions.create({ model: "style", messages, stream: true });
const deltas = [];
for await (const chunk of stream) deltas.push(chunk.choices[0]?.delta?.content ?? "");

let refusal = null;
try {
  await client.chat.completions.create({ model: "unknown-model", messages });
} catch (error) {
  refusal = { status: error.status, code: error.code };
}
console.log(JSON.stringify({ content: whole.choices[0].message.content, usage: whole.usage.total_tokens, deltas, refusal }));
