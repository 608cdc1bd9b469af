// Drives a real Chromium: an order a line comes in as JSON, an answer a line goes out, in whatever order they are done.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import puppeteer from "puppeteer-core";

const [program, libraries, fingerprint] = process.argv.slice(2);
const snippet = createRequire(import.meta.url)("@segment/snippet");
const browser = await puppeteer.launch({
  executablePath: program,
  headless: "shell",
  pipe: true,
  env: { ...process.env, ...(libraries ? { LD_LIBRARY_PATH: libraries } : {}) },
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-default-browser-check",
    "--no-first-run",
    "--no-pings",
    "--mute-audio",
    // Not all errors are ignored: what comes with one is never cached.
    `--ignore-certificate-errors-spki-list=${fingerprint}`,
    // Nothing leaves this machine; whoever tries shows up as a failed request.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost , EXCLUDE 127.0.0.1",
  ],
});

const pages = new Map();

const orders = {
  version: () => browser.version(),
  snippet: ({ options }) => snippet.min(options),
  async bundle({ code }) {
    const { build } = await import("esbuild");
    const stdin = { contents: code, resolveDir: import.meta.dirname };
    const made = await build({ stdin, bundle: true, write: false, format: "iife", platform: "browser", minify: true });
    return made.outputFiles[0].text;
  },
  // A visitor of his own: no cache, storage or cookie is shared with another page.
  async open({ url }) {
    const context = await browser.createBrowserContext();
    const page = await context.newPage();
    const seen = { page, requests: [], said: [] };
    page.on("request", (request) => {
      if (request.method() !== "OPTIONS") seen.requests.push(request.url());
    });
    page.on("console", (message) => seen.said.push(message.text()));
    page.on("pageerror", (error) => seen.said.push(`uncaught: ${error.message}`));
    const name = pages.size;
    pages.set(name, seen);
    await page.goto(url, { waitUntil: "load" });
    return name;
  },
  goto: ({ page, url }) => pages.get(page).page.goto(url, { waitUntil: "load" }).then(() => null),
  evaluate: ({ page, script }) => pages.get(page).page.evaluate(script),
  seen: ({ page }) => ({ requests: pages.get(page).requests, said: pages.get(page).said }),
  close: ({ page }) => pages.get(page).page.browserContext().close(),
};

const answer = (told) => process.stdout.write(`${JSON.stringify(told)}\n`);
answer({ ready: true });
for await (const line of createInterface({ input: process.stdin })) {
  const { id, order, ...words } = JSON.parse(line);
  Promise.resolve()
    .then(() => orders[order](words))
    .then((value) => answer({ id, value: value ?? null }))
    .catch((error) => answer({ id, error: String(error) }));
}
await browser.close();
