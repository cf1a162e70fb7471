// The emulated cloud as a process of one test: `const cloud = await startCloud(t, { accounts: 2 })`.
// Everything talks to loopback only; the process ends with its test.
import { spawn } from "node:child_process";
import dns from "node:dns";
import { once } from "node:events";
import fs from "node:fs";
import http from "node:http";
import https from "node:https";
import os from "node:os";
import path from "node:path";

export const programs = process.env.PENSTOCK_BIN ?? path.resolve(import.meta.dirname, "../../build/release/bin");
const startMs = 60_000;
const callMs = 60_000;

// SDKs put the project before the endpoint: PROJECT.localhost. Not every resolver knows names below localhost
// (RFC 6761, 6.3).
const systemLookup = dns.lookup;
dns.lookup = (name, options, done) => {
  if (!name.endsWith(".localhost")) return systemLookup(name, options, done);
  return systemLookup("127.0.0.1", options, done);
};

export async function startCloud(t, { tls = true, ...options } = {}) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "penstock-sdk-"));
  const readyFile = path.join(folder, "ready.json");
  const config = path.join(folder, "penstock.yaml");
  const flags = ["--ready-file", readyFile, "--write-config", config];
  if (tls) flags.push("--tls-dir", path.join(folder, "tls"));
  for (const [name, value] of Object.entries(options)) flags.push(`--${name}`, String(value));
  const emulator = spawn(path.join(programs, "penstock-emulator"), flags, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(emulator, "exit");
  const kill = () => emulator.kill("SIGKILL");
  process.once("exit", kill);
  t.after(async () => {
    process.off("exit", kill);
    emulator.kill("SIGTERM");
    await ended;
    fs.rmSync(folder, { recursive: true });
  });
  // Its one line comes after all its files.
  await Promise.race([
    once(emulator.stdout, "data", { signal: AbortSignal.timeout(startMs) }),
    ended.then(([code]) => Promise.reject(new Error(`the emulator ended with ${code}`))),
  ]);
  return new Cloud(folder, config, JSON.parse(fs.readFileSync(readyFile, "utf8")));
}

class Cloud {
  constructor(folder, config, ready) {
    Object.assign(this, { folder, config, ...ready });
    this.port = new URL(ready.url).port;
    this.ca = ready.ca_file === "" ? undefined : fs.readFileSync(ready.ca_file, "utf8");
    this.account = ready.accounts[0];
    this.rule = ready.azure.rules[0];
  }

  async call(target, body) {
    const how = { method: body === undefined ? "GET" : "POST", ca: this.ca, timeout: callMs };
    const request = (this.ca === undefined ? http : https).request(this.url + target, how);
    request.on("timeout", () => request.destroy(new Error(`${target}: no answer`)));
    request.end(body === undefined ? undefined : JSON.stringify(body));
    const [answer] = await once(request, "response");
    const text = (await answer.setEncoding("utf8").toArray()).join("");
    if (answer.statusCode !== 200) throw new Error(`${target}: ${answer.statusCode} ${text}`);
    return JSON.parse(text);
  }

  faults(list) {
    return this.call("/emulator/faults", list);
  }
  append(events) {
    const { project, logstores } = this.account;
    return this.call("/emulator/append", { project, logstore: logstores[0], events });
  }
  ledger() {
    return this.call("/emulator/ledger");
  }
  // What the workspace got: the ledger's counts, and how often each status was answered to uploads.
  async delivered() {
    const { events, rules } = await this.ledger();
    const { delivered_unique, duplicates, missing, altered, unknown } = events;
    return { delivered_unique, duplicates, missing, altered, unknown, responses: rules[0]?.responses ?? {} };
  }
}

// Audit events as ActionTrail writes them, all different, each about `bytes` long.
export function auditEvents(count, bytes = 300) {
  const padding = "x".repeat(Math.max(bytes - 250, 0));
  return Array.from({ length: count }, (_, i) =>
    JSON.stringify({
      eventId: `5dc0ffee-0000-4000-8000-${String(i).padStart(12, "0")}`,
      eventTime: new Date(Date.UTC(2026, 10, 20) + i * 1000).toISOString().replace(".000", ""),
      eventName: "DescribeInstances",
      acsRegion: "cn-hangzhou",
      requestParameters: { number: 12345678901234567000 + i, text: `ü€😀 "${i}"`, padding },
    }),
  );
}
