import { defineConfig } from "vite";

export default defineConfig({
  server: {
    host: "127.0.0.1",
    // So that the page and the API have one origin in development, as behind one proxy in production.
    proxy: { "/v1": process.env.MATCHING_API ?? "http://127.0.0.1:8000" },
  },
});
