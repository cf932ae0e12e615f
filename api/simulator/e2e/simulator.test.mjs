// The page in a real browser, as people use it: with a mouse, with a keyboard only, without JavaScript, on a phone
// and on a desk. Pictures of the main states are left in artefacts/.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import AxeBuilder from "@axe-core/playwright";
import { artefacts, missing, publishedList, startBrowser, startCommand, startPage } from "./service.mjs";

const reason = missing();
if (reason) console.log(`end-to-end tests of the simulator are skipped: ${reason}`);

const phone = { width: 360, height: 780 };
const desk = { width: 1280, height: 800 };

// Two tests at a time: a test mostly waits for its page, each of which is a process of its own.
describe("simulator", { skip: reason || false, concurrency: 2 }, () => {
  let browser, sample, list;

  before(async () => {
    sample = await startPage("--names", "api/simulator/e2e/names.json");
    const file = publishedList();
    if (file) list = await startPage("--catalogue", file, "--format", "feelist");
    browser = await startBrowser();
  });

  after(async () => {
    await browser?.close();
    await sample?.stop();
    await list?.stop();
  });

  /** Opens a page that fails the test on a script error, a broken policy, a cookie or a request elsewhere. */
  async function open(t, path, options = {}) {
    const { base = sample.url, ...context } = options;
    const visitor = await browser.newContext({ locale: "it-IT", viewport: desk, ...context });
    const page = await visitor.newPage();
    const complaints = [];
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => {
      // A refused form is answered with 422, which the console reports as a failed load.
      if (message.type() === "error" && !message.text().includes("422")) complaints.push(message.text());
    });
    page.on("request", (request) => {
      if (!request.url().startsWith(base) && !request.url().startsWith("about:")) complaints.push(`request to ${request.url()}`);
    });
    t.after(async () => {
      const cookies = await visitor.cookies();
      await visitor.close();
      assert.deepEqual(complaints, []);
      assert.deepEqual(cookies, []);
    });
    await page.goto(base + path);
    return page;
  }

  const query = (page) => new URL(page.url()).searchParams;
  const heading = (page) => page.locator("#count").innerText();
  const rows = (page) => page.locator("#answer section:has(#count) tbody tr");
  const names = (page) => page.locator("#answer section:has(#count) .psp").allInnerTexts();

  /** Does something and waits for the answer that follows it. */
  async function answered(page, act) {
    const response = page.waitForResponse((r) => new URL(r.url()).pathname === "/results");
    await act();
    await (await response).finished();
    await page.waitForFunction(() => !document.querySelector("#answer")?.hasAttribute("aria-busy"));
  }

  /**
   * Fails when axe finds a fault. Contrast takes most of its time, so it is left out where only words or the width
   * differ from what was looked at already.
   */
  async function clean(page, state, { contrast = true } = {}) {
    const rules = { "color-contrast": { enabled: contrast } };
    const found = await new AxeBuilder({ page }).options({ resultTypes: ["violations"], rules }).setLegacyMode(true).analyze();
    const told = found.violations.map((v) => `${state}: ${v.id} ${v.help}: ${v.nodes.map((n) => `${n.target} ${n.failureSummary}`).join(" | ")}`);
    assert.deepEqual(told, []);
  }

  async function fits(page, state) {
    const [wide, inner] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
    assert.ok(wide <= inner, `${state} is ${wide} wide in a window of ${inner}`);
  }

  const picture = (page, name, fullPage = true) => page.screenshot({ path: join(artefacts, `${name}.png`), fullPage });

  test("the amount is understood as people write it", async (t) => {
    const page = await open(t, "/");
    for (const [typed, cents] of [["1.234,56", "123456"], ["1234.56", "123456"], ["12", "1200"], ["25,5", "2550"]]) {
      await answered(page, () => page.getByLabel("Importo da pagare").fill(typed));
      assert.equal(query(page).get("amount"), cents);
    }
    await answered(page, () => page.getByLabel("Importo da pagare").fill("dodici"));
    assert.equal(await page.locator("#amount-1").getAttribute("aria-invalid"), "true");
    assert.match(await page.locator(".faults").innerText(), /non è un importo/);
    await page.locator(".faults a").click();
    assert.equal(await page.evaluate(() => document.activeElement?.id), "amount-1");
  });

  test("where, how, service, body, bank, day and hour change the answer and the link", async (t) => {
    const page = await open(t, "/?amount=5000&place=CHECKOUT");
    const all = await rows(page).count();
    await answered(page, () => page.getByLabel("Come paghi").selectOption("CP"));
    assert.equal(query(page).get("way"), "CP");
    assert.ok((await rows(page).count()) < all);
    await answered(page, () => page.getByLabel("Come paghi").selectOption("apps"));
    assert.equal(query(page).get("way"), "apps");
    await answered(page, () => page.getByLabel("Come paghi").selectOption("CP"));
    await answered(page, () => page.getByLabel("Dove paghi").selectOption("IO"));
    assert.equal(query(page).get("place"), "IO");
    await page.getByText("Servizio ed ente").click();
    await answered(page, () => page.getByLabel("Che cosa paghi").fill("imposte"));
    assert.equal(query(page).get("service"), "0101100IM");
    await answered(page, () => page.getByLabel("A chi paghi").fill("Borgoverde"));
    assert.equal(query(page).get("ec"), "80000000103");
    assert.match(await page.locator(".quotes").first().innerText(), /Comune di Borgoverde.*paga.*al posto tuo/);
    await page.getByText("Banca della carta, giorno e ora").click();
    await answered(page, () => page.getByLabel("Banca che ha emesso la carta").selectOption("99001"));
    assert.equal(query(page).get("bank"), "99001");
    assert.match(await page.locator(".quotes").first().innerText(), /valida se la tua carta è di Banca Esempio/);
    await answered(page, () => page.getByLabel("Giorno", { exact: true }).fill("2026-11-23"));
    await answered(page, () => page.getByLabel("Ora", { exact: true }).fill("08:30"));
    assert.equal(query(page).get("day"), "2026-11-23");
    assert.equal(query(page).get("time"), "08:30");
    assert.match(await page.locator(".asked").innerText(), /lun 23 novembre 2026, 08:30/);
    assert.match(await page.locator("#status").innerText(), /commissioni, la più bassa/);
  });

  test("a link reproduces the page", async (t) => {
    const page = await open(t, "/?amount=5000&place=IO&way=CP");
    await answered(page, () => page.getByLabel("Importo da pagare").fill("80"));
    await answered(page, () => page.locator("#sort-name").click());
    const shown = await page.locator("#answer").innerText();
    const again = await open(t, new URL(page.url()).pathname + new URL(page.url()).search);
    assert.equal(await again.locator("#answer").innerText(), shown);
    assert.equal(await again.getByLabel("Importo da pagare").inputValue(), "80,00");
  });

  test("sorting by name and by fee", async (t) => {
    const page = await open(t, "/?amount=5000&place=CHECKOUT&way=CP");
    const byFee = await names(page);
    await answered(page, () => page.locator("#sort-name").click());
    const byName = await names(page);
    assert.deepEqual(byName, [...byFee].sort((a, b) => a.localeCompare(b, "it")));
    assert.equal(await page.locator("#sort-name").getAttribute("aria-current"), "true");
    assert.match(await page.locator("#answer").innerText(), /In ordine alfabetico/);
    await answered(page, () => page.locator("#sort-fee").click());
    assert.deepEqual(await names(page), byFee);
    assert.match(await page.locator("#answer").innerText(), /sorteggiato in modo equo/);
  });

  test("a cart of notices", async (t) => {
    const page = await open(t, "/?amount=5000&place=CHECKOUT_CART&way=CP");
    await page.getByRole("button", { name: "Aggiungi un avviso" }).click();
    await page.locator("#amount-2").waitFor();
    await answered(page, () => page.locator("#amount-2").fill("12,50"));
    assert.deepEqual(query(page).getAll("amount"), ["5000", "1250"]);
    assert.match(await heading(page), /62,50/);
    assert.match(await page.locator(".asked").innerText(), /2 avvisi/);
    await picture(page, "desk-cart");
    await clean(page, "cart");
    await page.getByRole("button", { name: "Togli l’avviso 1" }).click();
    await page.waitForURL(/amount=1250/);
    assert.deepEqual(query(page).getAll("amount"), ["1250"]);
  });

  test("five languages, by browser and by link", async (t) => {
    for (const [lang, word] of [["it", /commissioni per 50,00/], ["en", /fees for €50\.00/], ["de", /Gebühren für 50,00/], ["fr", /commissions pour 50,00/], ["sl", /provizij[ei]? za 50,00/]]) {
      const page = await open(t, "/?amount=5000&place=IO&way=CP", { locale: lang });
      assert.equal(await page.locator("html").getAttribute("lang"), lang);
      assert.match(await heading(page), word);
      await clean(page, lang, { contrast: false });
    }
    const page = await open(t, "/?amount=5000&place=IO&way=CP");
    await answered(page, () => page.getByLabel("Importo da pagare").fill("60"));
    await page.locator(".languages a[lang=de]").click();
    assert.match(await heading(page), /Gebühren für 60,00/);
    assert.equal(query(page).get("lang"), "de");
    await answered(page, () => page.getByLabel("Zu zahlender Betrag").fill("70"));
    assert.match(await heading(page), /Gebühren für 70,00/);
    await picture(page, "desk-german");
  });

  test("a keyboard is enough", async (t) => {
    const page = await open(t, "/");
    const focused = () => page.evaluate(() => document.activeElement?.id || document.activeElement?.textContent?.trim());
    await page.keyboard.press("Tab");
    assert.equal(await focused(), "Vai al contenuto");
    await page.keyboard.press("Enter");
    assert.equal(await focused(), "main");
    await page.keyboard.press("Tab");
    assert.equal(await focused(), "amount-1");
    await answered(page, () => page.keyboard.type("50"));
    for (const stop of ["Servizio ed ente (facoltativi)", "place"]) {
      await page.keyboard.press("Tab");
      assert.equal(await focused(), stop);
    }
    await page.keyboard.press("Tab");
    await answered(page, () => page.keyboard.type("Cart"));
    assert.equal(query(page).get("way"), "CP");
    let stops = 0;
    while ((await focused()) !== "Mostra le commissioni" && stops++ < 5) await page.keyboard.press("Tab");
    await answered(page, () => page.keyboard.press("Enter"));
    assert.equal(await focused(), "answer", "the keyboard is at the answer");
    stops = 0;
    while ((await focused()) !== "sort-name" && stops++ < 20) await page.keyboard.press("Tab");
    await answered(page, () => page.keyboard.press("Enter"));
    assert.equal(query(page).get("sort"), "name");
    assert.equal(await focused(), "sort-name", "the keyboard stays where it was");
    const ring = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.equal(ring, "solid");
    stops = 0;
    while ((await focused()) !== "why" && stops++ < 20) await page.keyboard.press("Tab");
    await page.keyboard.type("Carta Charge");
    await page.keyboard.press("Tab");
    await answered(page, () => page.keyboard.press("Enter"));
    assert.match(await page.locator(".why").innerText(), /Perché Carta Charge/);
  });

  test("without JavaScript", async (t) => {
    const page = await open(t, "/", { javaScriptEnabled: false, viewport: phone });
    await page.getByLabel("Importo da pagare").fill("1.234,56");
    await page.getByLabel("Come paghi").selectOption("CP");
    await page.getByRole("button", { name: "Mostra le commissioni" }).click();
    assert.equal(query(page).get("amount"), "123456");
    assert.match(await heading(page), /1\.234,56/);
    await page.locator("#sort-name").click();
    assert.equal(query(page).get("sort"), "name");
    await page.locator("#why").selectOption({ label: "Carta Charge Fittizia" });
    await page.getByRole("button", { name: "Perché?" }).click();
    assert.match(await page.locator(".why").innerText(), /vale solo per le carte di/);
    await page.getByText("Scegli i PSP del grafico").click();
    const chosen = page.locator("#chart-choose input:checked");
    while ((await chosen.count()) > 0) await chosen.first().uncheck();
    await page.getByLabel("Banca Lagomare").check();
    await page.getByRole("button", { name: "Disegna" }).click();
    assert.deepEqual(await page.locator(".legend li").count(), 1);
    await page.getByRole("button", { name: "Aggiungi un avviso" }).click();
    await page.locator("#amount-2").fill("x");
    await page.getByRole("button", { name: "Mostra le commissioni" }).click();
    assert.match(await page.locator("#amount-2-fault").innerText(), /non è un importo/);
    await picture(page, "phone-without-javascript");
    assert.equal(await page.locator("[data-copy]:visible, [data-print]:visible").count(), 0);
  });

  test("the chart follows its choice, and its table says the same", async (t) => {
    const page = await open(t, "/?amount=5000&place=IO&way=CP");
    await page.getByText("I valori del grafico in tabella").click();
    const asked = await page.locator("#chart-table tr.cheapest td").allInnerTexts();
    assert.deepEqual(asked, await page.locator(".legend strong").allInnerTexts());
    await page.getByText("Scegli i PSP del grafico").click();
    await page.getByLabel("Banca Lagomare").check();
    await answered(page, () => page.getByRole("button", { name: "Disegna" }).click());
    assert.ok(query(page).getAll("chart").includes("LAGMIT22XXX"));
    assert.equal(await page.locator(".chart path.line.line-3").count(), 2);
    await answered(page, () => page.getByLabel("Importo da pagare").fill("90"));
    assert.ok(query(page).getAll("chart").includes("LAGMIT22XXX"), "the choice stays");
  });

  test("downloads", async (t) => {
    const page = await open(t, "/?amount=5000&place=IO&way=CP");
    for (const kind of ["csv", "json"]) {
      const [download] = await Promise.all([page.waitForEvent("download"), page.locator(`#${kind}`).click()]);
      assert.equal(download.suggestedFilename(), `gec-5000.${kind}`);
    }
  });

  const states = [
    ["first", "/"],
    ["rows", "/?amount=5000&place=CHECKOUT"],
    ["borne", "/?amount=5000&place=IO&way=CP&ec=80000000103&service=0101100IM"],
    ["bank", "/?amount=5000&place=IO&way=CP&bank=99002&day=2026-12-25&time=20:30"],
    ["faults", "/?euro=dodici&ec=Atlantide&place=CHECKOUT"],
    ["none", "/?amount=90000000&place=ATM&way=PPAL"],
    ["why", "/?amount=5000&place=CHECKOUT&way=CP&why=ABI99411"],
    ["cart", "/?amount=5000&amount=1600&service=&service=stamp&place=CHECKOUT_CART"],
    ["adding", "/?euro=50&add=1"],
    ["missing", "/nowhere"],
  ];

  // The states in which the form, the rows and the chart are laid out otherwise on a desk, so that contrast is looked at there as well.
  const widest = new Set(["first", "why", "cart"]);

  for (const [kind, viewport, colorScheme] of [["phone", phone, "light"], ["desk", desk, "light"], ["night", phone, "dark"]]) {
    test(`axe finds nothing on any state, ${kind}`, async (t) => {
      const visitor = await browser.newContext({ locale: "it-IT", viewport, colorScheme });
      t.after(() => visitor.close());
      const page = await visitor.newPage();
      for (const [state, path] of states) {
        await page.goto(sample.url + path);
        await picture(page, `${kind}-${state}`);
        await fits(page, state);
        await page.evaluate(() => document.querySelectorAll("details").forEach((d) => (d.open = true)));
        await clean(page, `${kind} ${state}`, { contrast: kind !== "desk" || widest.has(state) });
        await fits(page, `${state}, opened`);
      }
    });
  }

  test("nothing is cut off at 320 pixels, in any language", async (t) => {
    for (const lang of ["it", "en", "de", "fr", "sl"]) {
      const page = await open(t, `/?amount=5000&place=IO&way=CP&ec=80000000103&lang=${lang}`, { viewport: { width: 320, height: 640 } });
      await page.evaluate(() => document.querySelectorAll("details").forEach((d) => (d.open = true)));
      await fits(page, lang);
    }
  });

  test("no motion for those who want none", async (t) => {
    const page = await open(t, "/?amount=5000", { reducedMotion: "reduce" });
    assert.equal(await page.evaluate(() => getComputedStyle(document.documentElement).scrollBehavior), "auto");
    assert.match(await page.locator("button.btn-primary").evaluate((b) => getComputedStyle(b).transition), /none|0s/);
  });

  test("the first view is small", async (t) => {
    const visitor = await browser.newContext({ viewport: phone });
    const page = await visitor.newPage();
    let bytes = 0;
    page.on("requestfinished", async (request) => {
      const { responseBodySize, responseHeadersSize } = await request.sizes();
      bytes += responseBodySize + responseHeadersSize;
    });
    await page.goto(sample.url + "/?amount=5000", { waitUntil: "networkidle" });
    const ready = await page.evaluate(() => performance.getEntriesByType("navigation")[0].domInteractive);
    t.diagnostic(`first view: ${bytes} bytes over the wire, interactive after ${Math.round(ready)} ms`);
    assert.ok(bytes < 150 * 1024, `${bytes} bytes`);
    await visitor.close();
  });

  test("printed, the answer is all there is", async (t) => {
    const page = await open(t, "/?amount=5000&place=CHECKOUT&way=CP");
    await page.emulateMedia({ media: "print" });
    assert.equal(await page.locator("#question").isVisible(), false);
    assert.equal(await page.locator(".quotes").first().isVisible(), true);
    await picture(page, "print");
  });

  test("the published list", async (t) => {
    if (!list) return t.skip("data/elenco-servizi.json is not here: set GEC_SHARED to the folder that holds it");
    for (const [kind, viewport] of [["phone", phone], ["desk", desk]]) {
      const page = await open(t, "/?amount=2500&place=CHECKOUT&way=CP", { viewport, base: list.url });
      assert.match(await page.locator("#status").innerText(), /la più bassa 0,28/);
      await picture(page, `${kind}-published-list`);
      await clean(page, `published list, ${kind}`, { contrast: kind === "phone" });
      await fits(page, "published list");
    }
  });

  test("the real command serves the page", async (t) => {
    const data = mkdtempSync(join(tmpdir(), "gec-e2e-"));
    const service = await startCommand(data);
    t.after(async () => {
      await service.stop();
      rmSync(data, { recursive: true, force: true });
    });
    const page = await open(t, "/?amount=5000&place=CHECKOUT&way=CP", { base: service.url });
    assert.ok((await rows(page).count()) > 3);
    await answered(page, () => page.getByLabel("Importo da pagare").fill("25"));
    assert.equal(query(page).get("amount"), "2500");
    await clean(page, "real command", { contrast: false });
  });
});
