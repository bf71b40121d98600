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
CREATE TABLE "run_pool" (
	"run_id" text NOT NULL,
	"phone_id" text NOT NULL,
	"position" bigint NOT NULL,
	CONSTRAINT "run_pool_run_id_phone_id_pk" PRIMARY KEY("run_id","phone_id")
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
ALTER TABLE "phones" ADD COLUMN "tags" jsonb DEFAULT '[]'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "trigger_name" text;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "pooled" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "shard" bigint;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "moves" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "lane" text;--> statement-breakpoint
ALTER TABLE "rule_starts" ADD CONSTRAINT "rule_starts_rule_id_rules_id_fk" FOREIGN KEY ("rule_id") REFERENCES "public"."rules"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "rule_starts" ADD CONSTRAINT "rule_starts_run_id_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."runs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "rules" ADD CONSTRAINT "rules_team_id_teams_id_fk" FOREIGN KEY ("team_id") REFERENCES "public"."teams"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "rules" ADD CONSTRAINT "rules_saved_by_users_id_fk" FOREIGN KEY ("saved_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "run_pool" ADD CONSTRAINT "run_pool_run_id_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."runs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "webhook_calls" ADD CONSTRAINT "webhook_calls_webhook_id_webhooks_id_fk" FOREIGN KEY ("webhook_id") REFERENCES "public"."webhooks"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "webhooks" ADD CONSTRAINT "webhooks_team_id_teams_id_fk" FOREIGN KEY ("team_id") REFERENCES "public"."teams"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "webhooks" ADD CONSTRAINT "webhooks_created_by_users_id_fk" FOREIGN KEY ("created_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "webhooks" ADD CONSTRAINT "webhooks_flow_id_flows_id_fk" FOREIGN KEY ("flow_id") REFERENCES "public"."flows"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "rule_starts_run" ON "rule_starts" USING btree ("run_id");--> statement-breakpoint
CREATE INDEX "rule_starts_at" ON "rule_starts" USING btree ("rule_id","at");--> statement-breakpoint
CREATE INDEX "rules_team" ON "rules" USING btree ("team_id","created_at");--> statement-breakpoint
CREATE INDEX "rules_next" ON "rules" USING btree ("next_at");--> statement-breakpoint
CREATE INDEX "run_pool_phone" ON "run_pool" USING btree ("phone_id");--> statement-breakpoint
CREATE INDEX "webhook_calls_at" ON "webhook_calls" USING btree ("at");--> statement-breakpoint
CREATE INDEX "webhooks_team" ON "webhooks" USING btree ("team_id","created_at");--> statement-breakpoint
CREATE UNIQUE INDEX "runs_lane" ON "runs" USING btree ("lane") WHERE "runs"."state" in ('leased', 'running');--> statement-breakpoint
CREATE INDEX "runs_turn" ON "runs" USING btree ("team_id","turn");--> statement-breakpoint
CREATE INDEX "runs_fence" ON "runs" USING btree ("team_id","fence");--> statement-breakpoint
CREATE INDEX "runs_waiting" ON "runs" USING btree ("state","created_at");