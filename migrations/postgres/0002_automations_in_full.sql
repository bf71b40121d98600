CREATE TABLE "file_contents" (
	"id" text PRIMARY KEY NOT NULL,
	"team_id" text NOT NULL,
	"bytes" bigint NOT NULL,
	"content" "bytea" NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "recording_steps" (
	"recording_id" text NOT NULL,
	"seq" bigint NOT NULL,
	"changed" bigint NOT NULL,
	"removed_at" timestamp (3) with time zone,
	"data" jsonb NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "recording_steps_recording_id_seq_pk" PRIMARY KEY("recording_id","seq")
);
--> statement-breakpoint
CREATE TABLE "recordings" (
	"id" text PRIMARY KEY NOT NULL,
	"team_id" text NOT NULL,
	"created_by" text NOT NULL,
	"phone_id" text NOT NULL,
	"state" text NOT NULL,
	"note" text,
	"start_url" text,
	"flow_id" text,
	"event_seq" bigint NOT NULL,
	"state_seq" bigint NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "rule_starts" (
	"rule_id" text NOT NULL,
	"dedupe_key" text NOT NULL,
	"run_id" text NOT NULL,
	"way" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "rule_starts_rule_id_dedupe_key_pk" PRIMARY KEY("rule_id","dedupe_key")
);
--> statement-breakpoint
CREATE TABLE "rules" (
	"id" text PRIMARY KEY NOT NULL,
	"team_id" text NOT NULL,
	"saved_by" text,
	"rule" jsonb NOT NULL,
	"revision" bigint NOT NULL,
	"failures" bigint NOT NULL,
	"paused_at" timestamp (3) with time zone,
	"next_at" timestamp (3) with time zone,
	"refusal" jsonb,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "run_files" (
	"run_id" text NOT NULL,
	"path" text NOT NULL,
	"content" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "run_files_run_id_path_pk" PRIMARY KEY("run_id","path")
);
--> statement-breakpoint
CREATE TABLE "run_pool" (
	"run_id" text NOT NULL,
	"phone_id" text NOT NULL,
	"position" bigint NOT NULL,
	CONSTRAINT "run_pool_run_id_phone_id_pk" PRIMARY KEY("run_id","phone_id")
);
--> statement-breakpoint
CREATE TABLE "secret_grants" (
	"secret_id" text NOT NULL,
	"flow_id" text NOT NULL,
	"granted_by" text,
	"text_hash" text NOT NULL,
	"granted_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "secret_grants_secret_id_flow_id_pk" PRIMARY KEY("secret_id","flow_id")
);
--> statement-breakpoint
CREATE TABLE "secrets" (
	"id" text PRIMARY KEY NOT NULL,
	"team_id" text NOT NULL,
	"created_by" text,
	"name" text NOT NULL,
	"value" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"changed_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "suites" (
	"id" text PRIMARY KEY NOT NULL,
	"team_id" text NOT NULL,
	"created_by" text,
	"path" text NOT NULL,
	"phone_id" text NOT NULL,
	"stops_within" bigint NOT NULL,
	"idempotency_key" text NOT NULL,
	"request_hash" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "webhook_calls" (
	"webhook_id" text NOT NULL,
	"signature" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "webhook_calls_webhook_id_signature_pk" PRIMARY KEY("webhook_id","signature")
);
--> statement-breakpoint
CREATE TABLE "webhooks" (
	"id" text PRIMARY KEY NOT NULL,
	"team_id" text NOT NULL,
	"created_by" text,
	"name" text NOT NULL,
	"flow_id" text NOT NULL,
	"phone" jsonb NOT NULL,
	"may_use_secrets" boolean NOT NULL,
	"secret" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"last_used_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "workspace_files" (
	"team_id" text NOT NULL,
	"path" text NOT NULL,
	"content" text NOT NULL,
	"bytes" bigint NOT NULL,
	"created_by" text,
	"updated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "workspace_files_team_id_path_pk" PRIMARY KEY("team_id","path")
);
--> statement-breakpoint
ALTER TABLE "flows" ADD COLUMN "path" text;--> statement-breakpoint
ALTER TABLE "phones" ADD COLUMN "tags" jsonb DEFAULT '[]'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "run_artifacts" ADD COLUMN "baseline" text;--> statement-breakpoint
ALTER TABLE "run_steps" ADD COLUMN "file" text;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "path" text;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "own_files" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "suite_id" text;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "part" jsonb;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "trigger_name" text;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "pooled" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "shard" bigint;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "moves" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "lane" text;--> statement-breakpoint
ALTER TABLE "file_contents" ADD CONSTRAINT "file_contents_team_id_teams_id_fk" FOREIGN KEY ("team_id") REFERENCES "public"."teams"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "recording_steps" ADD CONSTRAINT "recording_steps_recording_id_recordings_id_fk" FOREIGN KEY ("recording_id") REFERENCES "public"."recordings"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "recordings" ADD CONSTRAINT "recordings_team_id_teams_id_fk" FOREIGN KEY ("team_id") REFERENCES "public"."teams"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "recordings" ADD CONSTRAINT "recordings_created_by_users_id_fk" FOREIGN KEY ("created_by") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "recordings" ADD CONSTRAINT "recordings_flow_id_flows_id_fk" FOREIGN KEY ("flow_id") REFERENCES "public"."flows"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "rule_starts" ADD CONSTRAINT "rule_starts_rule_id_rules_id_fk" FOREIGN KEY ("rule_id") REFERENCES "public"."rules"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "rule_starts" ADD CONSTRAINT "rule_starts_run_id_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."runs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "rules" ADD CONSTRAINT "rules_team_id_teams_id_fk" FOREIGN KEY ("team_id") REFERENCES "public"."teams"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "rules" ADD CONSTRAINT "rules_saved_by_users_id_fk" FOREIGN KEY ("saved_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "run_files" ADD CONSTRAINT "run_files_run_id_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."runs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "run_files" ADD CONSTRAINT "run_files_content_file_contents_id_fk" FOREIGN KEY ("content") REFERENCES "public"."file_contents"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "run_pool" ADD CONSTRAINT "run_pool_run_id_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."runs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "secret_grants" ADD CONSTRAINT "secret_grants_secret_id_secrets_id_fk" FOREIGN KEY ("secret_id") REFERENCES "public"."secrets"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "secret_grants" ADD CONSTRAINT "secret_grants_flow_id_flows_id_fk" FOREIGN KEY ("flow_id") REFERENCES "public"."flows"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "secret_grants" ADD CONSTRAINT "secret_grants_granted_by_users_id_fk" FOREIGN KEY ("granted_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "secrets" ADD CONSTRAINT "secrets_team_id_teams_id_fk" FOREIGN KEY ("team_id") REFERENCES "public"."teams"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "secrets" ADD CONSTRAINT "secrets_created_by_users_id_fk" FOREIGN KEY ("created_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "suites" ADD CONSTRAINT "suites_team_id_teams_id_fk" FOREIGN KEY ("team_id") REFERENCES "public"."teams"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "suites" ADD CONSTRAINT "suites_created_by_users_id_fk" FOREIGN KEY ("created_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "webhook_calls" ADD CONSTRAINT "webhook_calls_webhook_id_webhooks_id_fk" FOREIGN KEY ("webhook_id") REFERENCES "public"."webhooks"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "webhooks" ADD CONSTRAINT "webhooks_team_id_teams_id_fk" FOREIGN KEY ("team_id") REFERENCES "public"."teams"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "webhooks" ADD CONSTRAINT "webhooks_created_by_users_id_fk" FOREIGN KEY ("created_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "webhooks" ADD CONSTRAINT "webhooks_flow_id_flows_id_fk" FOREIGN KEY ("flow_id") REFERENCES "public"."flows"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workspace_files" ADD CONSTRAINT "workspace_files_team_id_teams_id_fk" FOREIGN KEY ("team_id") REFERENCES "public"."teams"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workspace_files" ADD CONSTRAINT "workspace_files_content_file_contents_id_fk" FOREIGN KEY ("content") REFERENCES "public"."file_contents"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workspace_files" ADD CONSTRAINT "workspace_files_created_by_users_id_fk" FOREIGN KEY ("created_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "file_contents_team" ON "file_contents" USING btree ("team_id");--> statement-breakpoint
CREATE INDEX "recording_steps_changed" ON "recording_steps" USING btree ("recording_id","changed");--> statement-breakpoint
CREATE UNIQUE INDEX "recordings_running" ON "recordings" USING btree ("phone_id") WHERE "recordings"."state" = 'recording';--> statement-breakpoint
CREATE INDEX "recordings_person" ON "recordings" USING btree ("created_by","updated_at");--> statement-breakpoint
CREATE UNIQUE INDEX "rule_starts_run" ON "rule_starts" USING btree ("run_id");--> statement-breakpoint
CREATE INDEX "rule_starts_at" ON "rule_starts" USING btree ("rule_id","at");--> statement-breakpoint
CREATE INDEX "rules_team" ON "rules" USING btree ("team_id","created_at");--> statement-breakpoint
CREATE INDEX "rules_next" ON "rules" USING btree ("next_at");--> statement-breakpoint
CREATE INDEX "run_files_content" ON "run_files" USING btree ("content");--> statement-breakpoint
CREATE INDEX "run_pool_phone" ON "run_pool" USING btree ("phone_id");--> statement-breakpoint
CREATE INDEX "secret_grants_flow" ON "secret_grants" USING btree ("flow_id");--> statement-breakpoint
CREATE UNIQUE INDEX "secrets_name" ON "secrets" USING btree ("team_id","name");--> statement-breakpoint
CREATE UNIQUE INDEX "suites_key" ON "suites" USING btree ("team_id","idempotency_key");--> statement-breakpoint
CREATE INDEX "suites_created" ON "suites" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "webhook_calls_at" ON "webhook_calls" USING btree ("at");--> statement-breakpoint
CREATE INDEX "webhooks_team" ON "webhooks" USING btree ("team_id","created_at");--> statement-breakpoint
CREATE INDEX "workspace_files_content" ON "workspace_files" USING btree ("content");--> statement-breakpoint
CREATE UNIQUE INDEX "flows_path" ON "flows" USING btree ("team_id","path");--> statement-breakpoint
CREATE UNIQUE INDEX "runs_lane" ON "runs" USING btree ("lane") WHERE "runs"."state" in ('leased', 'running');--> statement-breakpoint
CREATE INDEX "runs_turn" ON "runs" USING btree ("team_id","turn");--> statement-breakpoint
CREATE INDEX "runs_fence" ON "runs" USING btree ("team_id","fence");--> statement-breakpoint
CREATE INDEX "runs_waiting" ON "runs" USING btree ("state","created_at");--> statement-breakpoint
CREATE INDEX "runs_suite" ON "runs" USING btree ("suite_id");