import { defineConfig } from "vite";

// Ctrl-C is how it ends, so that is no failure.
process.on("SIGINT", () => process.exit(0));

export default defineConfig({
  // Known beforehand, because finding them later reloads the page and takes with it what was typed.
  optimizeDeps: { include: ["react", "react/jsx-dev-runtime", "react-dom/client"] },
  server: {
    host: "127.0.0.1",
    strictPort: true,
    // So that the page, the API and the app's backend have one origin in development, as behind one proxy in production.
    proxy: {
      "/v1": process.env.MATCHING_API ?? "http://127.0.0.1:8000",
      "/backend": process.env.EXAMPLE_BACKEND ?? "http://127.0.0.1:5174",
    },
  },
});
