// Starts the service that a test talks to, and the browser that it talks with.
import { spawn, execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { dirname, join } from "node:path";
import { chromium } from "playwright-core";

const here = dirname(fileURLToPath(import.meta.url));
const module = join(here, "../../..");

/** Where pictures of the main states are put; not committed. */
export const artefacts = join(here, "artefacts");

/** The browser to use; Debian's package chromium puts it there. */
export const browserPath = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** Why the tests cannot run here; empty when they can. */
export function missing() {
  if (!existsSync(browserPath)) return `no browser at ${browserPath}: apt-get install chromium, or set CHROMIUM`;
  if (!existsSync(join(here, "../dist/.vite/manifest.json"))) return "the page is not built: npm run build";
  return "";
}

/** The published fee list, or null where the folder that holds it is not beside the module. */
export function publishedList() {
  const folder = process.env.GEC_SHARED ?? join(module, "../shared");
  const file = join(folder, "data/elenco-servizi.json");
  return existsSync(file) ? file : null;
}

/** The instant at which the clock of the test service stands: a Saturday, 11:00 in Rome. */
export const standingClock = "2026-11-21T10:00:00Z";

/** Builds a command of the module into artefacts/ and returns where it is. */
function build(name, command) {
  mkdirSync(artefacts, { recursive: true });
  const binary = join(artefacts, name);
  execFileSync("go", ["build", "-o", binary, command], { cwd: module, stdio: "inherit" });
  return binary;
}

let server = "";

/** Starts the test service on a catalogue; the clock stands, so that pictures are the same every day. */
export function startPage(...args) {
  server ||= build("server", "./api/simulator/e2e/server");
  return start(server, ["--now", standingClock, "--http", "127.0.0.1:0", ...args]);
}

/** Starts the real command on the sample catalogue: the binary that GEC names, or one built here. */
export function startCommand(data) {
  const binary = process.env.GEC || build("gec", "./cmd/gec");
  return start(binary, ["serve", "--data", data, "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0", "--sample"]);
}

function start(binary, args) {
  const child = spawn(binary, args, { cwd: module, stdio: ["ignore", "pipe", "pipe"] });
  const log = [];
  child.stderr.on("data", (chunk) => log.push(chunk));
  return new Promise((resolve, reject) => {
    child.on("exit", (code) => reject(new Error(`${binary} ended with ${code}: ${Buffer.concat(log)}`)));
    createInterface({ input: child.stdout }).on("line", (line) => {
      const address = /^ready http=(\S+)/.exec(line)?.[1];
      if (address) resolve({ url: `http://${address}`, stop: () => stop(child) });
    });
  });
}

/** Ends a service, and returns when it has ended. */
function stop(child) {
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  return child.exitCode === null ? ended : Promise.resolve();
}

/** Starts a browser that reaches nothing but what the tests name. */
export function startBrowser() {
  return chromium.launch({
    executablePath: browserPath,
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync",
    ],
  });
}
