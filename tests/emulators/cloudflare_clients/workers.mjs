// What the SDK makes of the emulator's Workers, as JSON on stdout. Argument: the account's id.
import Cloudflare, { toFile } from 'cloudflare';
import { all, refusal } from './calls.mjs';

const client = new Cloudflare({ maxRetries: 0 });
const account_id = process.argv[2];
const { scripts, domains } = client.workers;
const script = 'export default { fetch: () => new Response("policy\\r\\n") };\r\n';
const type = 'application/javascript+module';

// The SDK puts application/javascript over the form's own type; null takes that away.
const options = { headers: { 'Content-Type': null } };
// It takes metadata apart into fields of the form; the service reads one part of JSON, which a file makes.
const json = (value) => toFile(Buffer.from(JSON.stringify(value)), 'metadata.json', { type: 'application/json' });
const module = (text, kind = type) => toFile(Buffer.from(text), 'worker.js', { type: kind });
const upload = async (text, main = 'worker.js', kind = type) =>
  scripts.update(
    'policies',
    {
      account_id,
      metadata: await json({ main_module: main, compatibility_date: '2025-01-01' }),
      files: [await module(text, kind)],
    },
    options,
  );
const attach = (hostname, service = 'policies', more = {}) => domains.update({ account_id, hostname, service, ...more });

// The first call, which nothing catches: without the permission it ends all.
const absent = await refusal(scripts.content.get('policies', { account_id }));
if (absent.status !== 404) throw new Error(JSON.stringify(absent));

const fields = await refusal(
  scripts.update('policies', { account_id, metadata: { main_module: 'worker.js' }, files: [await module(script)] }, options),
);
const missing = await refusal(upload(script, 'other.js'));
const kind = await refusal(upload(script, 'worker.js', 'text/plain'));
const uploaded = await upload(script);
const content = await scripts.content.get('policies', { account_id });
const form = await content.formData();
const entry = content.headers.get('cf-entrypoint');
const read = [entry, [...form.keys()], await form.get(entry).text()];
const listed = (await all(scripts.list({ account_id }))).map(({ id, etag }) => [id, etag]);
const replaced = await upload(script + '// 2\n');

const zone_id = (await all(client.zones.list({ name: 'example.com' })))[0].id;
const attached = await attach('mta-sts.example.com');
const again = await attach('mta-sts.example.com', 'policies', { zone_id });
const records = await all(client.dns.records.list({ zone_id, name: { exact: 'mta-sts.example.com' } }));
const taken = await refusal(attach('taken.example.com'));
const elsewhere = await refusal(attach('mta-sts.example.net'));
const pending = await refusal(attach('mta-sts.waits.example'));
const nobody = await refusal(attach('x.example.com', 'nobody'));
await attach('two.example.com');
const full = await refusal(attach('three.example.com'));
const found = await all(domains.list({ account_id, hostname: 'mta-sts.example.com' }));
const listing = await all(domains.list({ account_id, service: 'policies' }));
const inUse = await refusal(scripts.delete('policies', { account_id }));
const readOnly = await refusal(client.dns.records.delete(records[0].id, { zone_id }));
const detached = await domains.delete(attached.id, { account_id });
const gone = await refusal(domains.get(attached.id, { account_id }));

console.log(
  JSON.stringify({
    absent, fields, missing, kind, uploaded, listed, content: read, script, replaced, attached, again,
    record: records.map((r) => [r.type, r.content, r.proxied, r.meta.read_only]),
    readOnly, taken, elsewhere, pending, nobody, full,
    found: found.map(({ hostname, service }) => [hostname, service]),
    all: listing.length,
    inUse,
    detached: detached.success,
    gone,
    rest: (await all(domains.list({ account_id }))).length,
  }),
);
