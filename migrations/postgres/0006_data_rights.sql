CREATE TABLE "activity_days" (
	"day" text NOT NULL,
	"action" text NOT NULL,
	"plan" text NOT NULL,
	"region" text NOT NULL,
	"count" bigint NOT NULL,
	CONSTRAINT "activity_days_day_action_plan_region_pk" PRIMARY KEY("day","action","plan","region")
);
--> statement-breakpoint
CREATE TABLE "billing_records" (
	"id" text PRIMARY KEY NOT NULL,
	"team_id" text,
	"number" text NOT NULL,
	"country" text NOT NULL,
	"issued_at" timestamp (3) with time zone NOT NULL,
	"legal_until" timestamp (3) with time zone NOT NULL,
	"currency" text NOT NULL,
	"net" bigint NOT NULL,
	"tax" bigint NOT NULL,
	"lines" jsonb NOT NULL,
	"bill_to" text
);
--> statement-breakpoint
CREATE TABLE "data_exports" (
	"id" text PRIMARY KEY NOT NULL,
	"user_id" text NOT NULL,
	"request_id" text,
	"state" text NOT NULL,
	"asked_at" timestamp (3) with time zone NOT NULL,
	"ready_at" timestamp (3) with time zone,
	"expires_at" timestamp (3) with time zone,
	"rows" bigint DEFAULT 0 NOT NULL,
	"rows_expected" bigint DEFAULT 0 NOT NULL,
	"bytes" bigint,
	"downloads" bigint DEFAULT 0 NOT NULL,
	"failure" text,
	"sealed_key" text,
	"ticket_hash" text,
	"ticket_expires_at" timestamp (3) with time zone,
	"idempotency_key" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "data_requests" (
	"id" text PRIMARY KEY NOT NULL,
	"number" text NOT NULL,
	"kind" text NOT NULL,
	"channel" text NOT NULL,
	"state" text NOT NULL,
	"reason" text,
	"user_id" text,
	"email" text,
	"email_index" text,
	"text" text,
	"answer" text,
	"verify_hash" text,
	"verified_at" timestamp (3) with time zone,
	"received_at" timestamp (3) with time zone NOT NULL,
	"entered_at" timestamp (3) with time zone NOT NULL,
	"due_at" timestamp (3) with time zone NOT NULL,
	"acknowledged_at" timestamp (3) with time zone,
	"reminded_day" bigint DEFAULT 0 NOT NULL,
	"closed_at" timestamp (3) with time zone,
	"receipt" jsonb,
	"idempotency_key" text
);
--> statement-breakpoint
CREATE TABLE "erasure_fence" (
	"subject" text PRIMARY KEY NOT NULL,
	"since" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "erasure_steps" (
	"erasure_id" text NOT NULL,
	"store" text NOT NULL,
	"position" bigint NOT NULL,
	"state" text NOT NULL,
	"before" bigint,
	"after" bigint,
	"attempts" bigint DEFAULT 0 NOT NULL,
	"first_tried_at" timestamp (3) with time zone,
	"done_at" timestamp (3) with time zone,
	"kept_until" timestamp (3) with time zone,
	CONSTRAINT "erasure_steps_erasure_id_store_pk" PRIMARY KEY("erasure_id","store")
);
--> statement-breakpoint
CREATE TABLE "erasures" (
	"id" text PRIMARY KEY NOT NULL,
	"user_id" text,
	"request_id" text,
	"state" text NOT NULL,
	"asked_at" timestamp (3) with time zone NOT NULL,
	"purge_at" timestamp (3) with time zone NOT NULL,
	"done_at" timestamp (3) with time zone,
	"choices" jsonb,
	"undo_hash" text,
	"certificate_hash" text,
	"certificate" jsonb,
	"idempotency_key" text
);
--> statement-breakpoint
CREATE TABLE "incident_people" (
	"incident_id" text NOT NULL,
	"user_id" text NOT NULL,
	"categories" jsonb NOT NULL,
	"told" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "incident_people_incident_id_user_id_pk" PRIMARY KEY("incident_id","user_id")
);
--> statement-breakpoint
CREATE TABLE "incidents" (
	"id" text PRIMARY KEY NOT NULL,
	"state" text NOT NULL,
	"drill" boolean NOT NULL,
	"title" text NOT NULL,
	"aware_at" timestamp (3) with time zone NOT NULL,
	"from" timestamp (3) with time zone,
	"to" timestamp (3) with time zone,
	"scope" jsonb,
	"what" text,
	"consequences" text,
	"measures" text,
	"todo" text,
	"authority_told_at" timestamp (3) with time zone,
	"alarmed_hour" bigint DEFAULT 0 NOT NULL,
	"people_count" bigint,
	"closed_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "metric_cells" (
	"day" text NOT NULL,
	"metric" text NOT NULL,
	"driver" text NOT NULL,
	"plan" text NOT NULL,
	"value" bigint NOT NULL,
	CONSTRAINT "metric_cells_day_metric_driver_plan_pk" PRIMARY KEY("day","metric","driver","plan")
);
--> statement-breakpoint
CREATE TABLE "policy_notices" (
	"version" bigint NOT NULL,
	"user_id" text NOT NULL,
	"queued_at" timestamp (3) with time zone NOT NULL,
	"mailed_at" timestamp (3) with time zone,
	"mail_failed_at" timestamp (3) with time zone,
	"shown_at" timestamp (3) with time zone,
	"acknowledged_at" timestamp (3) with time zone,
	"objected_at" timestamp (3) with time zone,
	CONSTRAINT "policy_notices_version_user_id_pk" PRIMARY KEY("version","user_id")
);
--> statement-breakpoint
CREATE TABLE "policy_versions" (
	"version" bigint PRIMARY KEY NOT NULL,
	"announced_at" timestamp (3) with time zone NOT NULL,
	"noticed_at" timestamp (3) with time zone,
	"effective_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "privacy_preferences" (
	"user_id" text PRIMARY KEY NOT NULL,
	"restricted_at" timestamp (3) with time zone,
	"left_metrics_at" timestamp (3) with time zone,
	"changed_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "statements" (
	"id" text PRIMARY KEY NOT NULL,
	"user_id" text NOT NULL,
	"category" text NOT NULL,
	"text" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
DROP INDEX "connect_codes_expiry";--> statement-breakpoint
DROP INDEX "team_invitations_email";--> statement-breakpoint
DROP INDEX "users_email_live";--> statement-breakpoint
ALTER TABLE "audit_heads" ADD COLUMN "start" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "audit_heads" ADD COLUMN "start_hash" text;--> statement-breakpoint
ALTER TABLE "mail_outbox" ADD COLUMN "recipient_index" text;--> statement-breakpoint
ALTER TABLE "support_requests" ADD COLUMN "email_index" text;--> statement-breakpoint
ALTER TABLE "team_invitations" ADD COLUMN "email_index" text;--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "email_index" text;--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "last_seen_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "inactive_notice" bigint;--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "inactive_deletion_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "data_exports" ADD CONSTRAINT "data_exports_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "erasure_steps" ADD CONSTRAINT "erasure_steps_erasure_id_erasures_id_fk" FOREIGN KEY ("erasure_id") REFERENCES "public"."erasures"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "incident_people" ADD CONSTRAINT "incident_people_incident_id_incidents_id_fk" FOREIGN KEY ("incident_id") REFERENCES "public"."incidents"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "incident_people" ADD CONSTRAINT "incident_people_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "policy_notices" ADD CONSTRAINT "policy_notices_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "privacy_preferences" ADD CONSTRAINT "privacy_preferences_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "statements" ADD CONSTRAINT "statements_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "billing_records_number" ON "billing_records" USING btree ("number");--> statement-breakpoint
CREATE INDEX "billing_records_team" ON "billing_records" USING btree ("team_id");--> statement-breakpoint
CREATE INDEX "billing_records_until" ON "billing_records" USING btree ("legal_until");--> statement-breakpoint
CREATE UNIQUE INDEX "data_exports_key" ON "data_exports" USING btree ("user_id","idempotency_key");--> statement-breakpoint
CREATE UNIQUE INDEX "data_exports_ticket" ON "data_exports" USING btree ("ticket_hash");--> statement-breakpoint
CREATE INDEX "data_exports_expiry" ON "data_exports" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "data_exports_asked" ON "data_exports" USING btree ("asked_at");--> statement-breakpoint
CREATE UNIQUE INDEX "data_requests_number" ON "data_requests" USING btree ("number");--> statement-breakpoint
CREATE UNIQUE INDEX "data_requests_key" ON "data_requests" USING btree ("user_id","idempotency_key");--> statement-breakpoint
CREATE UNIQUE INDEX "data_requests_verify" ON "data_requests" USING btree ("verify_hash");--> statement-breakpoint
CREATE INDEX "data_requests_due" ON "data_requests" USING btree ("state","due_at");--> statement-breakpoint
CREATE INDEX "data_requests_email_index" ON "data_requests" USING btree ("email_index");--> statement-breakpoint
CREATE INDEX "data_requests_closed" ON "data_requests" USING btree ("closed_at");--> statement-breakpoint
CREATE INDEX "erasure_fence_since" ON "erasure_fence" USING btree ("since");--> statement-breakpoint
CREATE UNIQUE INDEX "erasures_open" ON "erasures" USING btree ("user_id") WHERE "erasures"."state" in ('grace', 'purging');--> statement-breakpoint
CREATE UNIQUE INDEX "erasures_undo" ON "erasures" USING btree ("undo_hash");--> statement-breakpoint
CREATE UNIQUE INDEX "erasures_certificate" ON "erasures" USING btree ("certificate_hash");--> statement-breakpoint
CREATE INDEX "erasures_due" ON "erasures" USING btree ("state","purge_at");--> statement-breakpoint
CREATE INDEX "erasures_done" ON "erasures" USING btree ("done_at");--> statement-breakpoint
CREATE INDEX "erasures_person" ON "erasures" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "incident_people_user" ON "incident_people" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "incident_people_told" ON "incident_people" USING btree ("incident_id","told");--> statement-breakpoint
CREATE INDEX "policy_notices_person" ON "policy_notices" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "statements_user" ON "statements" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "api_tokens_expiry" ON "api_tokens" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "api_tokens_revoked" ON "api_tokens" USING btree ("revoked_at");--> statement-breakpoint
CREATE INDEX "api_tokens_person" ON "api_tokens" USING btree ("created_by");--> statement-breakpoint
CREATE INDEX "connect_codes_created" ON "connect_codes" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "abuse_decisions_created" ON "abuse_decisions" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "flows_person" ON "flows" USING btree ("created_by");--> statement-breakpoint
CREATE INDEX "jobs_finished" ON "jobs" USING btree ("finished_at");--> statement-breakpoint
CREATE INDEX "mail_outbox_person" ON "mail_outbox" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "phones_person" ON "phones" USING btree ("created_by");--> statement-breakpoint
CREATE INDEX "recordings_updated" ON "recordings" USING btree ("updated_at");--> statement-breakpoint
CREATE INDEX "recordings_team" ON "recordings" USING btree ("team_id");--> statement-breakpoint
CREATE INDEX "rules_person" ON "rules" USING btree ("saved_by");--> statement-breakpoint
CREATE INDEX "runs_detailed" ON "runs" USING btree ("created_at") WHERE "runs"."source" <> '';--> statement-breakpoint
CREATE INDEX "runs_finished" ON "runs" USING btree ("finished_at");--> statement-breakpoint
CREATE INDEX "runs_person" ON "runs" USING btree ("created_by");--> statement-breakpoint
CREATE INDEX "secret_grants_person" ON "secret_grants" USING btree ("granted_by");--> statement-breakpoint
CREATE INDEX "secrets_person" ON "secrets" USING btree ("created_by");--> statement-breakpoint
CREATE INDEX "sessions_seen" ON "sessions" USING btree ("seen_at");--> statement-breakpoint
CREATE INDEX "sessions_open" ON "sessions" USING btree ("idle_expires_at") WHERE "sessions"."ended_at" is null;--> statement-breakpoint
CREATE INDEX "sessions_team" ON "sessions" USING btree ("team_id");--> statement-breakpoint
CREATE INDEX "suites_person" ON "suites" USING btree ("created_by");--> statement-breakpoint
CREATE INDEX "support_requests_received" ON "support_requests" USING btree ("received_at");--> statement-breakpoint
CREATE INDEX "team_invitations_email_index" ON "team_invitations" USING btree ("email_index");--> statement-breakpoint
CREATE INDEX "team_invitations_created" ON "team_invitations" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "team_invitations_inviter" ON "team_invitations" USING btree ("invited_by");--> statement-breakpoint
CREATE INDEX "team_invitations_accepter" ON "team_invitations" USING btree ("accepted_by");--> statement-breakpoint
CREATE UNIQUE INDEX "users_email_index_live" ON "users" USING btree ("email_index") WHERE "users"."deleted_at" is null;--> statement-breakpoint
CREATE INDEX "users_seen" ON "users" USING btree ("last_seen_at");--> statement-breakpoint
CREATE INDEX "webhooks_person" ON "webhooks" USING btree ("created_by");--> statement-breakpoint
CREATE INDEX "workspace_files_person" ON "workspace_files" USING btree ("created_by");