// What went wrong, in the API's own words where it has said some.

/** A call that failed. `status` is 0 when nothing answered. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly requestId: string | null = null,
    readonly details: unknown = null,
  ) {
    super(message);
    this.name = "ApiError";
  }

  /** Whether the same call may succeed a moment later without anybody doing anything. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 502;
  }
}

/** The error for when nothing answers at all. */
export function awayError(): ApiError {
  return new ApiError(0, "away", "Smalti does not answer. This page tries again by itself.");
}

interface Told {
  code?: unknown;
  message?: unknown;
  request_id?: unknown;
  details?: unknown;
}

/** Makes the error of an answer; `body` is whatever was read of it. */
export function errorOf(response: Response, body: unknown): ApiError {
  const told = toldIn(body);
  const message = typeof told.message === "string" ? told.message : plainWords(response.status);
  return new ApiError(
    response.status,
    typeof told.code === "string" ? told.code : "unknown",
    sentence(message),
    typeof told.request_id === "string" ? told.request_id : response.headers.get("X-Request-Id"),
    told.details ?? null,
  );
}

function toldIn(body: unknown): Told {
  if (typeof body !== "object" || body === null) return {};
  if ("error_code" in body) return { code: body.error_code, message: "message" in body ? body.message : undefined }; // MLflow's own
  if (!("error" in body)) return {};
  const inner = (body).error;
  return typeof inner === "object" && inner !== null ? inner : {};
}

function plainWords(status: number): string {
  if (status === 502 || status === 503 || status === 504) {
    return "Smalti is starting or away. This page tries again by itself.";
  }
  if (status === 401) return "Your session has ended.";
  return `The answer was an error (${status}).`;
}

/** Begins with a capital and ends with a full stop: the API's messages are halves of sentences. */
export function sentence(text: string): string {
  const trimmed = text.trim();
  if (trimmed === "") return trimmed;
  const begun = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.!?:]$/.test(begun) ? begun : `${begun}.`;
}

/** Words for a person about any failure. */
export function wordsOf(error: unknown): string {
  if (error instanceof ApiError) return error.message;
  return "Something in this page failed. Loading it again may help.";
}
