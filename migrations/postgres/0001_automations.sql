CREATE TABLE "flows" (
	"id" text PRIMARY KEY NOT NULL,
	"team_id" text NOT NULL,
	"created_by" text,
	"name" text NOT NULL,
	"source" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "run_artifacts" (
	"run_id" text NOT NULL,
	"name" text NOT NULL,
	"kind" text NOT NULL,
	"bytes" bigint NOT NULL,
	"step" bigint,
	"file" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "run_artifacts_run_id_name_pk" PRIMARY KEY("run_id","name")
);
--> statement-breakpoint
CREATE TABLE "run_events" (
	"run_id" text NOT NULL,
	"seq" bigint NOT NULL,
	"data" jsonb NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "run_events_run_id_seq_pk" PRIMARY KEY("run_id","seq")
);
--> statement-breakpoint
CREATE TABLE "run_steps" (
	"run_id" text NOT NULL,
	"seq" bigint NOT NULL,
	"attempt" bigint NOT NULL,
	"path" text NOT NULL,
	"line" bigint NOT NULL,
	"depth" bigint NOT NULL,
	"command" text NOT NULL,
	"label" text NOT NULL,
	"kind" text NOT NULL,
	"state" text NOT NULL,
	"hash" text NOT NULL,
	"result" jsonb,
	"started_at" timestamp (3) with time zone NOT NULL,
	"duration_ms" bigint,
	"message" text,
	CONSTRAINT "run_steps_run_id_seq_pk" PRIMARY KEY("run_id","seq")
);
--> statement-breakpoint
CREATE TABLE "runs" (
	"id" text PRIMARY KEY NOT NULL,
	"team_id" text NOT NULL,
	"flow_id" text,
	"created_by" text,
	"name" text NOT NULL,
	"source" text NOT NULL,
	"inputs" jsonb NOT NULL,
	"phone_id" text NOT NULL,
	"state" text NOT NULL,
	"trigger" text NOT NULL,
	"error" jsonb,
	"idempotency_key" text NOT NULL,
	"request_hash" text NOT NULL,
	"turn" bigint NOT NULL,
	"holder" text,
	"fence" bigint NOT NULL,
	"lease_until" timestamp (3) with time zone,
	"starts" bigint NOT NULL,
	"event_seq" bigint NOT NULL,
	"cancel_asked_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone NOT NULL,
	"started_at" timestamp (3) with time zone,
	"finished_at" timestamp (3) with time zone
);
--> statement-breakpoint
ALTER TABLE "flows" ADD CONSTRAINT "flows_team_id_teams_id_fk" FOREIGN KEY ("team_id") REFERENCES "public"."teams"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "flows" ADD CONSTRAINT "flows_created_by_users_id_fk" FOREIGN KEY ("created_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "run_artifacts" ADD CONSTRAINT "run_artifacts_run_id_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."runs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "run_events" ADD CONSTRAINT "run_events_run_id_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."runs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "run_steps" ADD CONSTRAINT "run_steps_run_id_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."runs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "runs" ADD CONSTRAINT "runs_team_id_teams_id_fk" FOREIGN KEY ("team_id") REFERENCES "public"."teams"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "runs" ADD CONSTRAINT "runs_flow_id_flows_id_fk" FOREIGN KEY ("flow_id") REFERENCES "public"."flows"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "runs" ADD CONSTRAINT "runs_created_by_users_id_fk" FOREIGN KEY ("created_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "flows_team" ON "flows" USING btree ("team_id","updated_at");--> statement-breakpoint
CREATE UNIQUE INDEX "runs_key" ON "runs" USING btree ("team_id","idempotency_key");--> statement-breakpoint
CREATE UNIQUE INDEX "runs_lease" ON "runs" USING btree ("phone_id") WHERE "runs"."state" in ('leased', 'running');--> statement-breakpoint
CREATE INDEX "runs_team" ON "runs" USING btree ("team_id","created_at");--> statement-breakpoint
CREATE INDEX "runs_queue" ON "runs" USING btree ("phone_id","state","turn");--> statement-breakpoint
CREATE INDEX "runs_created" ON "runs" USING btree ("created_at");