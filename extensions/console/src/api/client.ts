// The one way to the API: typed by the OpenAPI document, with the XSRF header, an idempotency key
// on POST, and every failure as an ApiError. Nothing else in the console calls `fetch`.
import createClient, { type Middleware } from "openapi-fetch";

import { ApiError, awayError, errorOf } from "./errors";
import type { paths } from "./schema";
import { noteAnswer, noteSilence } from "./reach";
import { xsrfValue } from "./xsrf";

export const PREFIX = "/services/smalti";
export const API = `${PREFIX}/api/v1`;

type Below<P> = P extends `/services/smalti/api/v1${infer Rest}` ? Rest : never;
type ApiPaths = { [P in keyof paths as Below<P>]: paths[P] };

const SAFE = new Set(["GET", "HEAD"]);

const manners: Middleware = {
  onRequest({ request }) {
    if (!SAFE.has(request.method)) {
      request.headers.set("X-XSRF-Token", xsrfValue());
      if (request.method === "POST" && !request.headers.has("Idempotency-Key")) {
        request.headers.set("Idempotency-Key", crypto.randomUUID());
      }
    }
    return request;
  },
};

export const client = createClient<ApiPaths>({
  baseUrl: API,
  fetch: (request) => reached(fetch(request)),
});
client.use(manners);

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** Waits for a call's answer; gives its data, or throws the ApiError that it is. */
export async function ok<T>(call: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await call;
  if (!response.ok) throw errorOf(response, error);
  return data as T;
}

/** Calls what openapi-fetch cannot: bodies that are bytes, paths with slashes, answers in pieces. */
export async function raw(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (!SAFE.has(init.method ?? "GET")) headers.set("X-XSRF-Token", xsrfValue());
  const response = await reached(fetch(path, { ...init, headers }));
  if (response.ok) return response;
  const body: unknown = await response.json().catch(() => null);
  throw errorOf(response, body);
}

/** Opens a session elsewhere on this origin by an address that answers with a redirect. */
export async function enter(path: string): Promise<void> {
  await reached(fetch(path, { redirect: "manual" }));
}

async function reached(answer: Promise<Response>): Promise<Response> {
  let response: Response;
  try {
    response = await answer;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    noteSilence();
    throw awayError();
  }
  const ours = response.url.includes(API);
  // While it starts again the front door does not know the platform: a 404 that is not the API's.
  if (ours && response.status === 404 && !response.headers.has("X-Request-Id")) {
    noteSilence();
    throw awayError();
  }
  // What the front door answers while the platform is away is no answer of ours.
  if (response.status === 502 || response.status === 504) noteSilence();
  else noteAnswer(response.status, ours);
  return response;
}

export { ApiError };
