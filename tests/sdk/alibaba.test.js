// Alibaba Cloud's own client libraries against the emulated Simple Log Service.
import assert from "node:assert/strict";
import test from "node:test";
import { auditEvents, startCloud } from "./cloud.js";
import { SlsClient, fieldValues, oldClient, sls } from "./sls.js";

const timeout = 60_000;
const nowS = () => Math.floor(Date.now() / 1000);
const eventLogs = (events, time = nowS()) => events.map((event) => ({ time, fields: { event } }));
const failsWith = (code, status) => (error) => {
  assert.equal(error.code, code, String(error));
  if (status !== undefined) assert.equal(error.statusCode ?? error.data?.statusCode, status);
  return true;
};

async function newLogstore(client, name, shardCount = 1) {
  const wish = new sls.CreateLogStoreRequest({ logstoreName: name, shardCount, ttl: 7, maxSplitShard: 8 });
  await client.sdk.createLogStore(client.project, wish);
  return name;
}

for (const signature of ["v1", "v4"]) {
  test(`logstores are made, described and listed, signed ${signature}`, { timeout }, async (t) => {
    const cloud = await startCloud(t);
    const client = new SlsClient(cloud, { signature });
    await newLogstore(client, "made-by-sdk", 3);
    const { body } = await client.sdk.getLogStore(client.project, "made-by-sdk");
    assert.deepEqual(
      [body.logstoreName, body.ttl, body.shardCount, body.maxSplitShard],
      ["made-by-sdk", 7, 3, 8],
    );
    const list = await client.sdk.listLogStores(client.project, new sls.ListLogStoresRequest({ size: 10 }));
    assert.deepEqual(list.body.logstores.sort(), [...cloud.account.logstores, "made-by-sdk"].sort());
    await assert.rejects(newLogstore(client, "made-by-sdk"), failsWith("LogStoreAlreadyExist", 400));
    await assert.rejects(client.sdk.getLogStore(client.project, "nowhere"), failsWith("LogStoreNotExist", 404));
  });

  test(`what is put in any coding is pulled in any coding, signed ${signature}`, { timeout }, async (t) => {
    const cloud = await startCloud(t);
    const client = new SlsClient(cloud, { signature });
    const logstore = await newLogstore(client, "codings");
    const texts = auditEvents(30, 2_000);
    const codings = [undefined, "lz4", "deflate"];
    for (const [i, coding] of codings.entries()) {
      await client.putLogs(logstore, eventLogs(texts.slice(i * 10, i * 10 + 10)), { coding });
    }
    // The library would send it, the service names lz4, zstd and deflate only.
    await assert.rejects(
      client.putLogs(logstore, eventLogs(["x"]), { coding: "gzip" }),
      failsWith("InvalidCompressType", 400),
    );
    const begin = await client.cursor(logstore, 0, "begin");
    for (const coding of ["", "lz4", "gzip", "deflate"]) {
      const reply = await client.pullLogs(logstore, 0, { cursor: begin, coding });
      assert.deepEqual(fieldValues(reply.groups, "event"), texts, `as ${coding}`);
      assert.equal(reply.headers["x-log-count"], String(codings.length));
      assert.equal(reply.headers["x-log-bodyrawsize"], String(reply.raw));
      const announced = { "": undefined, lz4: "lz4", gzip: "deflate", deflate: "deflate" }[coding];
      assert.equal(reply.headers["x-log-compresstype"], announced);
      assert.equal(reply.next, await client.cursor(logstore, 0, "end"));
    }
  });
}

test("the same calls work without TLS", { timeout }, async (t) => {
  const cloud = await startCloud(t, { tls: false });
  const client = new SlsClient(cloud, { plainText: true });
  const [logstore] = cloud.account.logstores;
  await client.putLogs(logstore, eventLogs(["{}"]), { coding: "lz4" });
  const { groups } = await client.pullAll(logstore, 0, await client.cursor(logstore, 0, "begin"));
  assert.deepEqual(fieldValues(groups, "event"), ["{}"]);
});

test("topic, source, tags and nanoseconds of a log group come back", { timeout }, async (t) => {
  const cloud = await startCloud(t);
  const client = new SlsClient(cloud);
  const [logstore] = cloud.account.logstores;
  const time = nowS();
  await client.putLogs(logstore, [{ time, ns: 123_456_789, fields: { event: "{}", empty: "" } }], {
    coding: "lz4",
    topic: "actiontrail_audit_event",
    source: "actiontrail_internal",
    tags: [{ Key: "__hostname__", Value: "ü" }],
  });
  const { groups } = await client.pullAll(logstore, 0, await client.cursor(logstore, 0, "begin"));
  assert.equal(groups.length, 1);
  assert.deepEqual([groups[0].Topic, groups[0].Source], ["actiontrail_audit_event", "actiontrail_internal"]);
  assert.ok(groups[0].LogTags.some(({ Key, Value }) => Key === "__hostname__" && Value === "ü"));
  const [log] = groups[0].Logs;
  assert.deepEqual([log.Time, log.TimeNs], [time, 123_456_789]);
  assert.deepEqual(fieldValues(groups, "empty"), [""]);
});

test("cursors name begin, end and times, and pulling stops at an end cursor", { timeout }, async (t) => {
  const cloud = await startCloud(t);
  const client = new SlsClient(cloud);
  const [logstore] = cloud.account.logstores;
  const begin = await client.cursor(logstore, 0, "begin");
  assert.equal(await client.cursor(logstore, 0, "end"), begin);
  const from = nowS();
  await client.putLogs(logstore, eventLogs(["one"]));
  const middle = await client.cursor(logstore, 0, "end");
  await client.putLogs(logstore, eventLogs(["two"]));
  assert.equal(await client.cursor(logstore, 0, String(from - 10)), begin);
  assert.equal(await client.cursor(logstore, 0, String(from + 3_600)), await client.cursor(logstore, 0, "end"));

  const first = await client.pullLogs(logstore, 0, { cursor: begin, end: middle });
  assert.deepEqual([fieldValues(first.groups, "event"), first.next], [["one"], middle]);
  const one = await client.pullLogs(logstore, 0, { cursor: begin, count: 1 });
  assert.deepEqual([fieldValues(one.groups, "event"), one.next], [["one"], middle]);
  const rest = await client.pullLogs(logstore, 0, { cursor: middle });
  assert.deepEqual(fieldValues(rest.groups, "event"), ["two"]);
  const none = await client.pullLogs(logstore, 0, { cursor: rest.next, coding: "lz4" });
  assert.deepEqual([none.groups, none.next, none.headers["x-log-count"]], [[], rest.next, "0"]);

  const request = new sls.GetCursorTimeRequest({ cursor: begin });
  const { cursorTime } = (await client.sdk.getCursorTime(client.project, logstore, "0", request)).body;
  assert.ok(cursorTime >= from && cursorTime <= nowS(), `cursor time ${cursorTime}`);
  await assert.rejects(client.pullLogs(logstore, 0, { cursor: "bm9uc2Vuc2U=" }), failsWith("InvalidCursor", 400));
});

test("an index makes logs searchable in both forms of GetLogs", { timeout }, async (t) => {
  const cloud = await startCloud(t);
  const client = new SlsClient(cloud);
  const logstore = await newLogstore(client, "searched", 2);
  const time = nowS();
  const window = { from: time - 60, to: time + 60 };
  const search = (more) => client.sdk.getLogs(client.project, logstore, new sls.GetLogsRequest({ ...window, ...more }));
  await assert.rejects(search({}), failsWith("IndexConfigNotExist", 400));
  const line = new sls.IndexLine({ token: [" ", ","], caseSensitive: false });
  await client.sdk.createIndex(client.project, logstore, new sls.CreateIndexRequest({ body: new sls.Index({ line }) }));
  assert.deepEqual((await client.sdk.getIndex(client.project, logstore)).body.line.token, [",", " "]);

  for (let i = 0; i < 5; ++i) {
    const fields = { event: `{"number":${i}}`, kind: i % 2 ? "odd" : "even" };
    await client.putLogs(logstore, [{ time: time - 10 + i, fields }]);
  }
  const numbers = (logs) => logs.map(({ event }) => JSON.parse(event).number);
  assert.deepEqual(numbers((await search({ line: 100 })).body), [0, 1, 2, 3, 4]);
  assert.deepEqual(numbers((await search({ line: 2, offset: 1, reverse: true })).body), [3, 2]);
  const odd = await search({ query: "kind: odd" });
  assert.deepEqual(numbers(odd.body), [1, 3]);
  assert.deepEqual([odd.headers["x-log-count"], odd.headers["x-log-progress"]], ["2", "Complete"]);

  const second = await client.sdk.getLogsV2WithOptions(
    client.project,
    logstore,
    new sls.GetLogsV2Request({ ...window, query: "kind: even", line: 100, offset: 0 }),
    new sls.GetLogsV2Headers({ acceptEncoding: "lz4" }),
    { extendsParameters: undefined },
  );
  assert.deepEqual(numbers(second.body.data), [0, 2, 4]);
  assert.deepEqual([second.body.meta.count, second.body.meta.progress], [3, "Complete"]);
  assert.equal(second.headers["x-log-compresstype"], "lz4");
});

test("a consumer group deals out shards and keeps checkpoints", { timeout }, async (t) => {
  const cloud = await startCloud(t, { shards: 2 });
  const { sdk, project } = new SlsClient(cloud);
  const client = new SlsClient(cloud);
  const [logstore] = cloud.account.logstores;
  const group = "made-by-sdk";
  const create = new sls.CreateConsumerGroupRequest({ consumerGroup: group, timeout: 30, order: true });
  await sdk.createConsumerGroup(project, logstore, create);
  await assert.rejects(sdk.createConsumerGroup(project, logstore, create), failsWith("ConsumerGroupAlreadyExist", 400));
  const listed = (await sdk.listConsumerGroup(project, logstore)).body;
  assert.deepEqual(
    listed.map(({ name, timeout, order }) => ({ name, timeout, order })),
    [{ name: group, timeout: 30, order: true }],
  );

  const beat = async (consumer, held) => {
    const request = new sls.ConsumerGroupHeartBeatRequest({ consumer, body: held });
    return (await sdk.consumerGroupHeartBeat(project, logstore, group, request)).body.sort();
  };
  assert.deepEqual(await beat("first", []), [0, 1]);
  await beat("second", []);
  const kept = await beat("first", [0, 1]);
  assert.equal(kept.length, 1, "one shard is to be given up");
  assert.deepEqual(await beat("first", kept), kept);
  const [given] = await beat("second", []);
  assert.deepEqual([...kept, given].sort(), [0, 1]);

  const [shard] = kept;
  await client.putLogs(logstore, eventLogs(["x"]));
  const checkpoint = await client.cursor(logstore, shard, "end");
  const keep = (consumer, forceSuccess = false) =>
    sdk.consumerGroupUpdateCheckPoint(
      project,
      logstore,
      group,
      new sls.ConsumerGroupUpdateCheckPointRequest({ consumer, shard, checkpoint, forceSuccess }),
    );
  const stored = async () => {
    const all = (await sdk.getCheckPoint(project, logstore, group, new sls.GetCheckPointRequest({}))).body;
    return Object.fromEntries(all.map((one) => [one.shard, one.checkpoint]));
  };
  await assert.rejects(keep("second"), /./, "a consumer that does not hold the shard");
  assert.deepEqual(await stored(), { 0: "", 1: "" });
  await keep("first");
  assert.deepEqual(await stored(), { [shard]: checkpoint, [given]: "" });
  const [one] = (await sdk.getCheckPoint(project, logstore, group, new sls.GetCheckPointRequest({ shard }))).body;
  assert.equal(one.consumer, "first");
  assert.ok(one.updateTime > 1e15, "microseconds");
  await keep(undefined, true);

  const change = new sls.UpdateConsumerGroupRequest({ timeout: 45, order: false });
  await sdk.updateConsumerGroup(project, logstore, group, change);
  assert.equal((await sdk.listConsumerGroup(project, logstore)).body[0].timeout, 45);
  await sdk.deleteConsumerGroup(project, logstore, group);
  assert.deepEqual((await sdk.listConsumerGroup(project, logstore)).body, []);
});

test("shards split and merge, and what they held stays readable", { timeout }, async (t) => {
  const cloud = await startCloud(t);
  const client = new SlsClient(cloud);
  const [logstore] = cloud.account.logstores;
  const states = async () => (await client.shards(logstore)).map(({ shardID, status }) => [shardID, status]);
  const keys = ({ inclusiveBeginKey, exclusiveEndKey }) => [inclusiveBeginKey, exclusiveEndKey];
  const events = auditEvents(30);
  await client.putLogs(logstore, eventLogs(events.slice(0, 10)));
  assert.deepEqual(await states(), [[0, "readwrite"]]);

  const split = await client.sdk.splitShard(client.project, logstore, "0", new sls.SplitShardRequest({}));
  assert.deepEqual(split.body.map(({ shardID, status }) => [shardID, status]), [
    [0, "readonly"],
    [1, "readwrite"],
    [2, "readwrite"],
  ]);
  const [parent, left, right] = (await client.shards(logstore)).map(keys);
  assert.deepEqual([left[0], left[1], right[1]], [parent[0], right[0], parent[1]], "the ranges join");
  await client.putLogs(logstore, eventLogs(events.slice(10, 15)));
  await client.putLogs(logstore, eventLogs(events.slice(15, 20)));

  const merged = await client.sdk.mergeShard(client.project, logstore, "1");
  assert.deepEqual(
    merged.body.filter(({ status }) => status === "readwrite").map(({ shardID }) => shardID),
    [3],
  );
  assert.deepEqual(await states(), [
    [0, "readonly"],
    [1, "readonly"],
    [2, "readonly"],
    [3, "readwrite"],
  ]);
  await client.putLogs(logstore, eventLogs(events.slice(20)));

  const seen = [];
  for (const { shardID } of await client.shards(logstore)) {
    const { groups } = await client.pullAll(logstore, shardID, await client.cursor(logstore, shardID, "begin"));
    seen.push(fieldValues(groups, "event"));
  }
  assert.deepEqual(seen[0], events.slice(0, 10));
  assert.deepEqual([...seen[1], ...seen[2]].sort(), events.slice(10, 20).sort());
  assert.deepEqual(seen[3], events.slice(20));
  await assert.rejects(
    client.sdk.splitShard(client.project, logstore, "0", new sls.SplitShardRequest({})),
    failsWith("ParameterInvalid", 400),
  );
});

for (const signature of ["v1", "v4"]) {
  test(`a wrong key is refused by name, signed ${signature}`, { timeout }, async (t) => {
    const cloud = await startCloud(t, { accounts: 2 });
    const [logstore] = cloud.account.logstores;
    const as = (account) => new SlsClient(cloud, { signature, account: { ...cloud.account, ...account } });
    const wrongSecret = as({ access_key_secret: "wrong" });
    await assert.rejects(wrongSecret.shards(logstore), failsWith("SignatureNotMatch", 401));
    await assert.rejects(wrongSecret.putLogs(logstore, eventLogs(["x"])), failsWith("SignatureNotMatch", 401));
    await assert.rejects(as({ access_key_id: "LTAI5tNobody" }).shards(logstore), failsWith("Unauthorized", 401));
    const { access_key_id, access_key_secret } = cloud.accounts[1];
    await assert.rejects(as({ access_key_id, access_key_secret }).shards(logstore), failsWith("Unauthorized", 401));
    assert.equal((await cloud.ledger()).events.stored, 0);
  });
}

test("a wrong region in a V4 signature is refused", { timeout }, async (t) => {
  const cloud = await startCloud(t);
  const client = new SlsClient(cloud, { signature: "v4", regionId: "eu-west-9" });
  await assert.rejects(client.shards(cloud.account.logstores[0]), failsWith("SignatureNotMatch", 401));
});

test("quota, busy and damaged answers reach the caller as what they are", { timeout }, async (t) => {
  const cloud = await startCloud(t);
  const client = new SlsClient(cloud);
  const [logstore] = cloud.account.logstores;
  await client.putLogs(logstore, eventLogs(auditEvents(20)));
  const cursor = await client.cursor(logstore, 0, "begin");
  const pull = () => client.pullLogs(logstore, 0, { cursor, coding: "lz4" });
  const fault = (more) => cloud.faults([{ role: "sls", op: "pull_logs", count: 1, ...more }]);
  await fault({ kind: "status", status: 403, code: "ReadQuotaExceed" });
  await assert.rejects(pull(), failsWith("ReadQuotaExceed", 403));
  await fault({ kind: "status", status: 503 });
  await assert.rejects(pull(), failsWith("ServerBusy", 503));
  await fault({ kind: "wrong_size" });
  await assert.rejects(pull(), /uncompress|decompress/i);
  await fault({ kind: "truncate" });
  await assert.rejects(pull(), /uncompress|decompress/i);
  assert.deepEqual(fieldValues((await pull()).groups, "event"), auditEvents(20));
});

test("the older library writes, searches and describes a logstore", { timeout }, async (t) => {
  const cloud = await startCloud(t);
  const { client, tls } = oldClient(cloud);
  const { project } = cloud.account;
  const logstore = "made-by-old-sdk";
  await client.createLogStore(project, logstore, { ttl: 5, shardCount: 1 }, tls);
  assert.equal((await client.getLogStore(project, logstore, tls)).ttl, 5);
  assert.ok((await client.listLogStore(project, {}, tls)).logstores.includes(logstore));
  assert.equal((await client.getProject(project, tls)).projectName, project);
  const index = { line: { token: [","], caseSensitive: false } };
  await client.createIndex(project, logstore, index, tls);
  await client.updateIndex(project, logstore, index, tls);
  assert.equal((await client.getIndexConfig(project, logstore, tls)).line.caseSensitive, false);

  const timestamp = nowS();
  const events = auditEvents(3);
  const logs = events.map((event, i) => ({ timestamp, timestampNsPart: i, content: { event } }));
  const group = { logs, topic: "t", source: "s", tags: [{ a: "b" }] };
  const said = await client.postLogStoreLogs(project, logstore, group, tls);
  assert.equal(said, "", "an answer without a body");
  const window = [new Date((timestamp - 60) * 1000), new Date((timestamp + 60) * 1000)];
  const found = await client.getLogs(project, logstore, ...window, { line: 10 }, tls);
  assert.deepEqual(found.map(({ event }) => event), events);
  assert.deepEqual([found[0].__topic__, found[0].__source__, found[0]["__tag__:a"]], ["t", "s", "b"]);
  assert.equal(found[0].__time__, String(timestamp));

  const wrong = oldClient(cloud, { account: { ...cloud.account, access_key_secret: "wrong" } });
  await assert.rejects(wrong.client.getLogStore(project, logstore, wrong.tls), { name: "SignatureNotMatchError" });
  await assert.rejects(client.getLogStore(project, "nowhere", tls), { code: "LogStoreNotExist" });
});
