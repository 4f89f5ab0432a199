// Cloudflare's edge, as far as Custom Domains go: asks the API which Worker a host name belongs to, and runs the
// script it has at this moment. What no Worker answers for is answered with 530, as an unknown host there.
const texts = new Map(); // by etag, the SHA-256 of the text

async function digest(text) {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export default {
  async fetch(request, { API, LOADER, ACCOUNT, TOKEN }) {
    const ask = (path) =>
      API.fetch(`http://api/client/v4/accounts/${ACCOUNT}/workers/${path}`, {
        headers: { Authorization: `Bearer ${TOKEN}` },
      });
    const list = async (path) => (await (await ask(path)).json()).result;
    const [domain] = await list(`domains?hostname=${new URL(request.url).hostname}`);
    if (!domain) return new Response("no Worker answers here\n", { status: 530 });
    const script = (await list("scripts")).find(({ id }) => id === domain.service);
    let id = script.etag;
    if (!texts.has(id)) {
      const content = await ask(`scripts/${domain.service}/content/v2`);
      const form = await content.formData();
      const text = await form.get(content.headers.get("cf-entrypoint")).text();
      id = await digest(text); // another one, if it changed meanwhile
      texts.set(id, text);
    }
    const worker = LOADER.get(id, () => ({
      compatibilityDate: script.compatibility_date ?? "2025-01-01",
      mainModule: "worker.js",
      modules: { "worker.js": texts.get(id) },
    }));
    return worker.getEntrypoint().fetch(request);
  },
};
