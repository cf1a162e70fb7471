// Alibaba Cloud's own client libraries, pointed at the emulated cloud.
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
export const sls = require("@alicloud/sls20201230");
const AliyunLog = require("@alicloud/log");
const requireOfSls = createRequire(require.resolve("@alicloud/sls20201230"));
const { $OpenApiUtil } = requireOfSls("@alicloud/openapi-core");
const { RuntimeOptions } = requireOfSls("@darabonba/typescript");
const logSdk = require.resolve("@alicloud/log");
const messages = createRequire(logSdk)("protobufjs").loadSync(logSdk.replace(/index\.js$/, "lib/sls.proto"));
const LogGroup = messages.lookupType("sls.LogGroup");
const LogGroupList = messages.lookupType("sls.LogGroupList");

// The current library: signatures V1 with HMAC-SHA256 (its default) or V4.
export class SlsClient {
  constructor(cloud, { account = cloud.account, signature = "v1", plainText = false, ...more } = {}) {
    this.project = account.project;
    this.sdk = new sls.default(
      new $OpenApiUtil.Config({
        accessKeyId: account.access_key_id,
        accessKeySecret: account.access_key_secret,
        endpoint: `localhost:${cloud.port}`,
        protocol: plainText ? "http" : "https",
        regionId: account.region,
        signatureVersion: signature,
        ca: cloud.ca,
        ...more,
      }),
    );
  }

  // The library's own putLogs and pullLogs have no protobuf in JavaScript ("use an SDK for Java or Go"). These two go
  // through the same gateway code of the library, which compresses, signs, checks sizes and decompresses.
  async putLogs(logstore, logs, { coding, topic = "", source = "", tags = [] } = {}) {
    const Logs = logs.map(({ time, ns, fields }) => {
      const Contents = Object.entries(fields).map(([Key, Value]) => ({ Key, Value }));
      return { Time: time, Contents, ...(ns === undefined ? {} : { TimeNs: ns }) };
    });
    const group = LogGroup.create({ Logs, Topic: topic, Source: source, LogTags: tags });
    const body = Buffer.from(LogGroup.encode(group).finish());
    const headers = { "content-type": "application/x-protobuf" };
    if (coding !== undefined) headers["x-log-compresstype"] = coding;
    // Under another name than PutLogs the gateway compresses only when told to.
    await this.#execute(coding === undefined ? "PutPlainLogs" : "PutLogs", "POST", `/logstores/${logstore}/shards/lb`, {
      headers,
      body,
    });
  }

  async pullLogs(logstore, shard, { cursor, count = 1000, end, coding = "" }) {
    const query = { cursor, count: String(count), ...(end === undefined ? {} : { end_cursor: end }) };
    const path = `/logstores/${logstore}/shards/${shard}?type=log`;
    const answer = await this.#execute("PullLogs", "GET", path, { headers: { "Accept-Encoding": coding }, query });
    const bytes = Buffer.concat(await answer.body.toArray());
    return {
      groups: LogGroupList.decode(bytes).logGroupList,
      raw: bytes.length,
      next: answer.headers["x-log-cursor"],
      headers: answer.headers,
    };
  }

  // All groups of a shard from `cursor` to its end.
  async pullAll(logstore, shard, cursor, coding = "lz4") {
    const groups = [];
    for (;;) {
      const reply = await this.pullLogs(logstore, shard, { cursor, coding });
      groups.push(...reply.groups);
      if (reply.next === cursor) return { groups, cursor };
      cursor = reply.next;
    }
  }

  async cursor(logstore, shard, from) {
    const answer = await this.sdk.getCursor(this.project, logstore, String(shard), new sls.GetCursorRequest({ from }));
    return answer.body.cursor;
  }

  async shards(logstore) {
    return (await this.sdk.listShards(this.project, logstore)).body;
  }

  #execute(action, method, pathname, { headers, query = {}, body }) {
    const request = new $OpenApiUtil.OpenApiRequest({ hostMap: { project: this.project }, headers, query, body });
    const params = new $OpenApiUtil.Params({
      action,
      version: "2020-12-30",
      protocol: "HTTPS",
      pathname,
      method,
      authType: "AK",
      style: "ROA",
      reqBodyType: "binary",
      bodyType: method === "GET" ? "binary" : "none",
    });
    return this.sdk.execute(params, request, new RuntimeOptions({}));
  }
}

// The older library: JSON and uncompressed protobuf, signatures V1 with HMAC-SHA1. Its functions take `tls` last.
export function oldClient(cloud, { account = cloud.account } = {}) {
  const client = new AliyunLog({
    accessKeyId: account.access_key_id,
    accessKeySecret: account.access_key_secret,
    endpoint: `https://localhost:${cloud.port}`,
  });
  return { client, tls: { ca: cloud.ca } };
}

// The values of one field of all logs, in order.
export function fieldValues(groups, field) {
  const logs = groups.flatMap((group) => group.Logs);
  return logs.map((log) => log.Contents.find(({ Key }) => Key === field)?.Value);
}
