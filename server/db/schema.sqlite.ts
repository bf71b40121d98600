/** Entry for the migration generator: SQLite's tables as named exports. */
import { tablesFor } from "./tables.ts";

export const {
  users,
  teams,
  teamMembers,
  identities,
  passwordCredentials,
  oneTimeTokens,
  sessions,
  connectCodes,
  apiTokens,
  phones,
  streamTickets,
  flows,
  runs,
  runSteps,
  runEvents,
  runArtifacts,
  jobs,
  topics,
  events,
  auditLog,
  idempotencyKeys,
  rateLimits,
  mailOutbox,
  supportRequests,
} = tablesFor.sqlite;
