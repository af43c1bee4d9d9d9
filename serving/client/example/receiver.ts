import type { Connect, Plugin } from "vite";

const MOST_BYTES = 100_000;

/**
 * A receiver of impressions in the development server, where an app has its backend. It keeps them in memory.
 *
 * `POST /impressions` takes a batch, and `GET /impressions` returns all that came since the server started.
 */
export function receiveImpressions(): Plugin {
  const received: unknown[] = [];
  return {
    name: "receive-impressions",
    configureServer({ config, middlewares }) {
      middlewares.use("/impressions", async (request, response) => {
        if (request.method === "POST") {
          const batch = await readBatch(request);
          response.statusCode = batch === null ? 400 : 204;
          received.push(...(batch ?? []));
          config.logger.info(`impressions: ${received.length} so far, see /impressions`);
          response.end();
        } else {
          response.setHeader("Content-Type", "application/json");
          response.end(JSON.stringify({ count: received.length, impressions: received }));
        }
      });
    },
  };
}

/** The batch in a request, or null if it is none. */
async function readBatch(request: Connect.IncomingMessage): Promise<unknown[] | null> {
  let body = "";
  for await (const part of request) {
    body += part;
    if (body.length > MOST_BYTES) return null;
  }
  try {
    const batch: unknown = JSON.parse(body);
    return Array.isArray(batch) ? batch : null;
  } catch {
    return null;
  }
}
