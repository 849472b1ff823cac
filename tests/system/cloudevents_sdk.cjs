// Sends events with the CloudEvents SDK in the ways that it has, and prints each answer's body.
//
// On stdin: {"url", "key", "events", "way"}. Out: one line of JSON for each request.

const { readFileSync } = require("node:fs");
const { CloudEvent, HTTP, emitterFor, httpTransport } = require("cloudevents");

const { url, key, events, way } = JSON.parse(readFileSync(0, "utf-8"));
const authorization = { headers: { authorization: `Bearer ${key}` } };
const transport = httpTransport(url);

const made = events.map((event) => new CloudEvent(event));
const inBytes = events.map(({ data, ...attributes }) => {
  const bytes = new Uint8Array(Buffer.from(JSON.stringify(data)));
  return new CloudEvent({ ...attributes, data: bytes });
});

const ways = {
  binary: () => made.map((event) => [event, "binary"]),
  structured: () => made.map((event) => [event, "structured"]),
  // The SDK puts bytes into `data_base64`.
  bytes: () => inBytes.map((event) => [event, "structured"]),
};

async function send() {
  if (way === "batch") {
    // The SDK reads batches and has no call that writes them.
    const headers = { "content-type": "application/cloudevents-batch+json" };
    return [await transport({ headers, body: JSON.stringify(made) }, authorization)];
  }
  const answers = [];
  for (const [event, mode] of ways[way]()) {
    const emit = emitterFor(transport, { binding: HTTP, mode });
    answers.push(await emit(event, authorization));
  }
  return answers;
}

send().then((answers) => answers.forEach(({ body }) => console.log(body)));
