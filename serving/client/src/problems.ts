import type { Problem, ProblemType } from "./schema.js";

/** What the API answers instead of what was asked for: problem details (RFC 9457). */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  /** The HTTP status: 401 sign in again, 410 begin a new list, 429 and 503 try again after `retryAfter`. */
  readonly status: number;
  /** Which problem it is, such as `urn:delete:problem:no-profile`; `about:blank` if no more is known than `status`. */
  readonly type: ProblemType;
  readonly problem: Problem;
  /** Seconds to wait before asking again; null where the API does not say. */
  readonly retryAfter: number | null;

  constructor(problem: Problem, response: Response) {
    super(problem.detail);
    this.status = response.status;
    this.type = problem.type ?? "about:blank"; // so RFC 9457, should something between here and the API leave it out
    this.problem = problem;
    this.retryAfter = readRetryAfter(response.headers.get("Retry-After"));
  }
}

/** The seconds in a header `Retry-After`, which is a number of them or a date. */
function readRetryAfter(header: string | null): number | null {
  if (header === null) return null;
  if (/^\d+$/.test(header)) return Number(header);
  const at = Date.parse(header);
  return Number.isNaN(at) ? null : Math.max(0, Math.ceil((at - Date.now()) / 1000));
}

/** The body of an answer: `await answered(api.GET("/v1/me/matches"))`. Throws ProblemError for anything else. */
export async function answered<Body>(
  asking: Promise<{ data?: Body; error?: unknown; response: Response }>,
): Promise<Body> {
  const { data, error, response } = await asking;
  if (data !== undefined) return data;
  throw new ProblemError(isProblem(error) ? error : unknownProblem(response), response);
}

function isProblem(error: unknown): error is Problem {
  return typeof error === "object" && error !== null && "detail" in error && typeof error.detail === "string";
}

/** Something between here and the API answered in its place, such as a proxy. */
function unknownProblem({ status, statusText }: Response): Problem {
  return { type: "about:blank", title: statusText, status, detail: `the answer was ${status} ${statusText}` };
}
