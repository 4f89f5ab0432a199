// What GitHub's own client sees of the emulator: node proof.mjs URL
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Octokit } from "@octokit/rest";

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const as = (auth) => new Octokit({ auth, baseUrl: process.argv[2], log: quiet }).rest;
const github = as("token");
const one = { owner: "octocat", repo: "policies" };
const base64 = (text) => Buffer.from(text).toString("base64");
const blobSha = (text) => createHash("sha1").update(`blob ${Buffer.byteLength(text)}\0${text}`).digest("hex");
const refused = async (call, status, words) => {
  const error = await call.then(() => assert.fail(`not refused with ${status}`), (caught) => caught);
  assert.equal(error.status, status, error.message);
  assert.match(error.response.data.message, words);
};

// Contents: the blob's SHA is the compare-and-swap.
{
  const file = { ...one, path: ".well-known/mta-sts.txt", branch: "main", message: "Write" };
  const body = "version: STSv1\r\nmode: testing\r\n";
  const made = await github.repos.createOrUpdateFileContents({ ...file, content: base64(body) });
  assert.equal(made.status, 201);
  assert.equal(made.data.content.sha, blobSha(body));
  const read = await github.repos.getContent({ ...one, path: file.path, ref: "main" });
  assert.equal(Buffer.from(read.data.content, "base64").toString(), body);
  const again = { ...file, content: base64("other") };
  await refused(github.repos.createOrUpdateFileContents(again), 422, /"sha" wasn't supplied/);
  await refused(github.repos.createOrUpdateFileContents({ ...again, sha: blobSha("no") }), 409, /does not match/);
  await refused(github.repos.createOrUpdateFileContents({ ...again, branch: "no" }), 404, /Branch no not found/);
  await refused(github.repos.createOrUpdateFileContents({ ...again, content: "?" , path: "x"}), 422, /Base64/);
  const changed = await github.repos.createOrUpdateFileContents({
    ...again, sha: made.data.content.sha, committer: { name: "A", email: "a@example.net" } });
  assert.equal(changed.status, 200);
  assert.equal(changed.data.commit.author.name, "A");
  await refused(github.repos.deleteFile({ ...file, sha: made.data.content.sha }), 409, /does not match/);
  await github.repos.deleteFile({ ...file, sha: changed.data.content.sha });
  await refused(github.repos.getContent({ ...one, path: file.path }), 404, /Not Found/);
  await refused(github.repos.getContent({ ...one, path: "x", ref: "no" }), 404, /No commit found for the ref no/);
}

// What stands at a path may be bytes, a folder, or more than the API gives out.
{
  const place = { ...one, branch: "main", message: "Bytes", path: "bytes/file" };
  const bytes = Buffer.from([0, 255, 254, 128, 13, 10]);
  await github.repos.createOrUpdateFileContents({ ...place, content: bytes.toString("base64") });
  const read = (await github.repos.getContent({ ...one, path: place.path })).data;
  assert.deepEqual(Buffer.from(read.content, "base64"), bytes);
  const folder = (await github.repos.getContent({ ...one, path: "bytes" })).data;
  assert.deepEqual(folder.map((entry) => [entry.type, entry.path]), [["file", "bytes/file"]]);
  await refused(github.repos.createOrUpdateFileContents({ ...place, path: "bytes", content: "" }), 422, /is a directory/);
  const large = base64("x".repeat((1 << 20) + 1));
  await github.repos.createOrUpdateFileContents({ ...place, path: "large", content: large });
  const none = (await github.repos.getContent({ ...one, path: "large" })).data;
  assert.deepEqual([none.encoding, none.content, none.size], ["none", "", (1 << 20) + 1]);
  for (const path of ["bytes/file", "large"]) {
    const { sha } = (await github.repos.getContent({ ...one, path })).data;
    const gone = await github.repos.deleteFile({ ...place, path, sha });
    assert.equal(gone.data.content, null);
  }
}

// Git data: many files in one commit, and a branch that only moves forward.
{
  const head = (await github.git.getRef({ ...one, ref: "heads/main" })).data.object.sha;
  const commit = (await github.git.getCommit({ ...one, commit_sha: head })).data;
  const files = ["a", "b", "c"].map((name) => ({
    path: `${name}/mta-sts.txt`, mode: "100644", type: "blob", content: `${name}\r\n` }));
  const tree = (await github.git.createTree({ ...one, base_tree: commit.tree.sha, tree: files })).data;
  const next = { ...one, message: "Three", tree: tree.sha, parents: [head] };
  const first = (await github.git.createCommit(next)).data;
  const second = (await github.git.createCommit({ ...next, message: "Three again" })).data;
  assert.equal(first.parents[0].sha, head);
  await github.git.updateRef({ ...one, ref: "heads/main", sha: first.sha, force: false });
  await refused(github.git.updateRef({ ...one, ref: "heads/main", sha: second.sha, force: false }), 422, /not a fast forward/);
  await refused(github.git.updateRef({ ...one, ref: "heads/no", sha: first.sha }), 422, /Reference does not exist/);
  const all = (await github.git.getTree({ ...one, tree_sha: first.sha, recursive: "1" })).data;
  assert.deepEqual(all.tree.map((entry) => entry.path),
    ["README.md", "a", "a/mta-sts.txt", "b", "b/mta-sts.txt", "c", "c/mta-sts.txt"]);
  const main = (await github.git.getTree({ ...one, tree_sha: "main", recursive: "1" })).data;
  assert.deepEqual([main.tree, main.truncated], [all.tree, false]);
  const blob = all.tree.find((entry) => entry.path === "b/mta-sts.txt");
  assert.equal(blob.sha, blobSha("b\r\n"));
  const read = (await github.git.getBlob({ ...one, file_sha: blob.sha })).data;
  assert.equal(Buffer.from(read.content, "base64").toString(), "b\r\n");
  const gone = { path: "a/mta-sts.txt", mode: "100644", type: "blob", sha: null };
  const less = (await github.git.createTree({ ...one, base_tree: tree.sha, tree: [gone] })).data;
  assert.deepEqual(less.tree.map((entry) => entry.path), ["README.md", "b", "c"]);
  await refused(github.git.createTree({ ...one, base_tree: less.sha, tree: [gone] }), 422, /BadObjectState/);
}

// Who may do what, and how a repository answers that cannot be used.
{
  const place = (repo) => ({ owner: "octocat", repo });
  const write = (client, repo) => client.repos.createOrUpdateFileContents({
    ...place(repo), path: "new", message: "m", content: base64("new") });
  await refused(as("wrong").repos.get(one), 401, /Bad credentials/);
  await refused(as("reader").repos.get(place("hidden")), 404, /Not Found/);
  await refused(write(as("reader"), "policies"), 403, /Resource not accessible by personal access token/);
  await refused(write(github, "archived"), 403, /archived/);
  await refused(write(github, "protected"), 409, /Repository rule violations/);
  await refused(github.repos.getContent({ ...place("empty"), path: "x" }), 404, /This repository is empty/);
  await refused(github.git.getRef({ ...place("empty"), ref: "heads/main" }), 409, /Git Repository is empty/);
  assert.equal((await write(github, "empty")).status, 201);
  assert.equal((await github.repos.get(place("hidden"))).data.private, true);
  await refused(as("open").repos.get(place("hidden")), 404, /Not Found/);
  await refused(write(as("open"), "hidden"), 404, /Not Found/);
  assert.equal((await write(as("open"), "open")).status, 201);
  await refused(write(as("nothing"), "open"), 404, /Not Found/);
  await refused(as("reader").repos.getPages(place("site")), 403, /Resource not accessible by personal access token/);
}

// Pages: its name comes from the file CNAME, its builds from commits.
{
  const site = { owner: "octocat", repo: "site" };
  await refused(github.repos.getPages(one), 404, /Not Found/);
  assert.equal((await github.repos.getPages(site)).data.cname, null);
  const made = await github.repos.createOrUpdateFileContents({
    ...site, path: "CNAME", message: "Name", content: base64("mta-sts.example.com\n") });
  assert.equal((await github.repos.getPages(site)).data.cname, "mta-sts.example.com");
  const statuses = [];
  for (let i = 0; i < 2; ++i) {
    const build = (await github.repos.getLatestPagesBuild(site)).data;
    assert.equal(build.commit, made.data.commit.sha);
    statuses.push(build.status);
  }
  assert.deepEqual(statuses, ["building", "built"]);
}
console.log("proved");
