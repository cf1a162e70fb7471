// Written by one vendor's library, carried to the other vendor's service: once by both libraries, once by penstock.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import test from "node:test";
import { ClientSecretCredential } from "@azure/identity";
import { LogsIngestionClient } from "@azure/monitor-ingestion";
import { auditEvents, programs, startCloud } from "./cloud.js";
import { SlsClient, fieldValues, sls } from "./sls.js";

const timeout = 120_000;
const all = { delivered_unique: 2_000, duplicates: 0, missing: 0, altered: 0, unknown: 0 };

// 2,000 events in 40 log groups of every coding, with a split of the shard half-way.
async function write(cloud) {
  const client = new SlsClient(cloud, { signature: "v4" });
  const [logstore] = cloud.account.logstores;
  const time = Math.floor(Date.now() / 1000);
  const events = auditEvents(2_000, 800);
  const codings = [undefined, "lz4", "deflate"];
  for (let i = 0; i < 40; ++i) {
    if (i === 20) await client.sdk.splitShard(client.project, logstore, "0", new sls.SplitShardRequest({}));
    const logs = events.slice(i * 50, i * 50 + 50).map((event) => ({ time, fields: { event } }));
    await client.putLogs(logstore, logs, { coding: codings[i % codings.length], topic: "actiontrail_audit_event" });
  }
  return { client, logstore };
}

test("events put and pulled by one library and uploaded by the other are all delivered", { timeout }, async (t) => {
  const cloud = await startCloud(t);
  const { client, logstore } = await write(cloud);
  const { tenant, client_id, client_secret } = cloud.azure;
  const tlsOptions = { ca: cloud.ca };
  const options = { authorityHost: cloud.url, disableInstanceDiscovery: true, tlsOptions };
  const credential = new ClientSecretCredential(tenant, client_id, client_secret, options);
  const ingestion = new LogsIngestionClient(cloud.url, credential, { tlsOptions });
  for (const { shardID } of await client.shards(logstore)) {
    const { groups } = await client.pullAll(logstore, shardID, await client.cursor(logstore, shardID, "begin"));
    const rows = fieldValues(groups, "event").map((value) => ({ value }));
    await ingestion.upload(cloud.rule.rule, cloud.rule.stream, rows);
  }
  const { responses, ...counts } = await cloud.delivered();
  assert.deepEqual(counts, all);
});

for (const format of ["value", "typed"]) {
  test(`events put by the library are carried by penstock as ${format} rows`, { timeout }, async (t) => {
    const cloud = await startCloud(t, { format });
    await write(cloud);
    const summary = path.join(cloud.folder, "summary.json");
    const flags = ["run", "--config", cloud.config, "--once", "--summary", summary, "--admin-listen", "off"];
    const run = spawn(path.join(programs, "penstock"), flags, { stdio: ["ignore", "ignore", "pipe"] });
    t.after(() => run.kill("SIGKILL"));
    let log = "";
    run.stderr.on("data", (text) => (log += text));
    const [code] = await once(run, "close");
    assert.equal(code, 0, log);
    assert.equal(JSON.parse(fs.readFileSync(summary, "utf8")).events_delivered, 2_000);
    const { responses, ...counts } = await cloud.delivered();
    assert.deepEqual(counts, all);
  });
}
