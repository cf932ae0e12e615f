// Builds web/ into dist/, which the Go binary embeds. The style is bootstrap-italia's parts that style.scss
// names, less every rule that no template uses.
import { copyFileSync, readdirSync, writeFileSync } from "node:fs";
import { PurgeCSS } from "purgecss";
import { defineConfig } from "vite";

const templates = readdirSync("templates").map((name) => `templates/${name}`);

const purge = {
  name: "purge",
  enforce: "post",
  async generateBundle(_, bundle) {
    for (const file of Object.values(bundle)) {
      if (file.type !== "asset" || !file.fileName.endsWith(".css")) continue;
      const [purged] = await new PurgeCSS().purge({
        content: [...templates, "web/main.ts"],
        css: [{ raw: String(file.source) }],
        variables: true,
        keyframes: true,
        safelist: { standard: [/^heat-/, /^line-/] },
      });
      file.source = purged.css;
    }
  },
};

// The fonts are under the OFL, which goes where they go. dist is in the repository, empty but for .keep, so that
// the binary compiles without the build.
const keep = {
  name: "keep",
  closeBundle() {
    copyFileSync("node_modules/bootstrap-italia/dist/fonts/Titillium_Web/OFL.txt", "dist/assets/OFL.txt");
    writeFileSync("dist/.keep", "");
  },
};

export default defineConfig({
  plugins: [purge, keep],
  css: {
    preprocessorOptions: {
      scss: { loadPaths: ["node_modules"], quietDeps: true, silenceDeprecations: ["import", "global-builtin", "color-functions", "if-function"] },
    },
  },
  build: {
    manifest: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: false,
    rollupOptions: { input: "web/main.ts" },
  },
});
