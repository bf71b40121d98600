DROP INDEX "connect_codes_expiry";--> statement-breakpoint
ALTER TABLE "audit_heads" ADD COLUMN "start" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "audit_heads" ADD COLUMN "start_hash" text;--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "last_seen_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "inactive_notice" bigint;--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "inactive_deletion_at" timestamp (3) with time zone;--> statement-breakpoint
CREATE INDEX "api_tokens_expiry" ON "api_tokens" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "api_tokens_revoked" ON "api_tokens" USING btree ("revoked_at");--> statement-breakpoint
CREATE INDEX "connect_codes_created" ON "connect_codes" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "data_exports_asked" ON "data_exports" USING btree ("asked_at");--> statement-breakpoint
CREATE INDEX "data_requests_closed" ON "data_requests" USING btree ("closed_at");--> statement-breakpoint
CREATE INDEX "abuse_decisions_created" ON "abuse_decisions" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "erasure_fence_since" ON "erasure_fence" USING btree ("since");--> statement-breakpoint
CREATE INDEX "erasures_done" ON "erasures" USING btree ("done_at");--> statement-breakpoint
CREATE INDEX "jobs_finished" ON "jobs" USING btree ("finished_at");--> statement-breakpoint
CREATE INDEX "recordings_updated" ON "recordings" USING btree ("updated_at");--> statement-breakpoint
CREATE INDEX "runs_detailed" ON "runs" USING btree ("created_at") WHERE "runs"."source" <> '';--> statement-breakpoint
CREATE INDEX "runs_finished" ON "runs" USING btree ("finished_at");--> statement-breakpoint
CREATE INDEX "sessions_seen" ON "sessions" USING btree ("seen_at");--> statement-breakpoint
CREATE INDEX "sessions_open" ON "sessions" USING btree ("idle_expires_at") WHERE "sessions"."ended_at" is null;--> statement-breakpoint
CREATE INDEX "team_invitations_created" ON "team_invitations" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "users_seen" ON "users" USING btree ("last_seen_at");