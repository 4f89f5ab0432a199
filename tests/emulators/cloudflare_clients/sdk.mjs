// What the SDK that Cloudflare publishes makes of the emulator, as JSON on stdout. The address is the
// SDK's own; the token comes from the environment (CLOUDFLARE_API_TOKEN).
import Cloudflare from 'cloudflare';
import { all, refusal } from './calls.mjs';

const client = new Cloudflare({ maxRetries: 0 });

const zones = await all(client.zones.list({ per_page: 50 }));
const zone_id = (await all(client.zones.list({ name: 'example.com', status: 'active' })))[0].id;
const records = client.dns.records;
const txt = (name, content, more = {}) => ({ zone_id, type: 'TXT', name, content, ttl: 300, ...more });

const created = await records.create(txt('_mta-sts.example.com', 'v=STSv1; id=1;', { comment: 'by hand' }));
const same = await refusal(records.create(txt('_mta-sts.example.com', '"v=STSv1; id=1;"')));
const edited = await records.edit(created.id, txt('_mta-sts.example.com', '"v=STSv1; id=2;"'));
const replaced = await records.update(created.id, txt('_mta-sts.example.com', '"v=STSv1; id=3;"'));
const batch = await records.batch({
  zone_id,
  deletes: [{ id: created.id }],
  posts: [
    { type: 'CNAME', name: 'mta-sts.example.com', content: 'policy.example.net', ttl: 1, proxied: true },
    { type: 'TXT', name: '_smtp._tls', content: `"${'a'.repeat(300)}"`, ttl: 60 },
  ],
});
const undone = await refusal(
  records.batch({
    zone_id,
    deletes: batch.posts.map(({ id }) => ({ id })),
    posts: [{ type: 'A', name: 'x', content: 'no address', ttl: 1 }],
  }),
);

console.log(
  JSON.stringify({
    verified: (await client.user.tokens.verify()).status,
    zones: zones.length,
    created,
    same,
    edited,
    replaced,
    batch,
    undone,
    beside: await refusal(records.create({ zone_id, type: 'A', name: 'mta-sts', content: '192.0.2.1', ttl: 1 })),
    tags: await refusal(records.create(txt('tagged', 'x', { tags: ['a:b'] }))),
    ttl: await refusal(records.create({ ...txt('brief', 'x'), ttl: 59 })),
    gone: await refusal(records.delete(created.id, { zone_id })),
    all: (await all(records.list({ zone_id }))).map(({ name }) => name),
    filtered: (await all(records.list({ zone_id, name: { contains: 'mt', endswith: 's.example.com' } }))).map(({ name }) => name),
    either: (
      await all(records.list({ zone_id, match: 'any', name: { exact: '_smtp._tls.example.com', startswith: 'MTA-' } }))
    ).map(({ name }) => name),
    paged: (await all(records.list({ zone_id, per_page: 5 }))).length,
  }),
);
