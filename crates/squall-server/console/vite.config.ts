import { defineConfig } from "vite";

// One script and one style sheet with fixed names: they are compiled into the
// program, which tells by a digest whether a browser has the current ones.
export default defineConfig({
  base: "/",
  build: {
    target: "es2022",
    outDir: "dist",
    emptyOutDir: true,
    sourcemap: false,
    modulePreload: { polyfill: false },
    cssCodeSplit: false,
    reportCompressedSize: false,
    rollupOptions: {
      output: {
        inlineDynamicImports: true,
        entryFileNames: "static/console.js",
        assetFileNames: "static/console[extname]",
      },
    },
  },
  // For work on the console: `npm run dev` beside a running service.
  server: { proxy: { "/api": "http://127.0.0.1:8080", "/openapi.json": "http://127.0.0.1:8080", "/metrics": "http://127.0.0.1:8080" } },
});
