// What is asked about tokens.
import { client, ok } from "../api/client";
import { listOptions } from "../api/lists";

export const tokensList = listOptions(["tokens"], (cursor, signal) =>
  ok(client.GET("/tokens", { params: { query: { cursor } }, signal })));
