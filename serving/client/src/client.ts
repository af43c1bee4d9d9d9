import createClient, { type Client, type Middleware } from "openapi-fetch";
import type { paths } from "./schema.js";

/** A token, or where to get one: asked before each request, and again, with the refused token, after a 401. */
export type Token = string | ((refused?: string) => string | Promise<string>);

/** openapi-fetch over the addresses of the matching API: `api.GET("/v1/me/matches")`. */
export type MatchingClient = Client<paths>;

export interface MatchingClientOptions {
  /** Where the API is, such as `https://matching.example`; `""` is where the page itself comes from. */
  baseUrl: string;
  token: Token;
}

/** A client that asks as the person whose token it is given. */
export function createMatchingClient({ baseUrl, token }: MatchingClientOptions): MatchingClient {
  const client = createClient<paths>({ baseUrl });
  client.use(bearer(token));
  return client;
}

function bearer(token: Token): Middleware {
  const current = typeof token === "string" ? () => token : token;
  return {
    async onRequest({ request }) {
      request.headers.set("Authorization", `Bearer ${await current()}`);
      return request;
    },
    async onResponse({ request, response, options }) {
      if (response.status !== 401) return undefined;
      const refused = request.headers.get("Authorization")?.replace("Bearer ", "");
      const renewed = await current(refused);
      if (renewed === refused) return undefined;
      const again = new Request(request);
      again.headers.set("Authorization", `Bearer ${renewed}`);
      return options.fetch(again);
    },
  };
}
