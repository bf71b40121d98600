CREATE TABLE "announcements" (
	"id" text PRIMARY KEY NOT NULL,
	"level" text NOT NULL,
	"text" text NOT NULL,
	"from" timestamp (3) with time zone NOT NULL,
	"until" timestamp (3) with time zone NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "backups" (
	"name" text PRIMARY KEY NOT NULL,
	"node" text NOT NULL,
	"started_at" timestamp (3) with time zone NOT NULL,
	"files" bigint,
	"bytes" bigint,
	"rows" bigint,
	"verified_at" timestamp (3) with time zone,
	"failure" text
);
--> statement-breakpoint
CREATE TABLE "faults" (
	"hour" timestamp (3) with time zone NOT NULL,
	"place" text NOT NULL,
	"code" text NOT NULL,
	"count" bigint NOT NULL,
	"reference" text,
	"last_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "faults_hour_place_code_pk" PRIMARY KEY("hour","place","code")
);
--> statement-breakpoint
CREATE TABLE "nodes" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"boot" text NOT NULL,
	"role" text NOT NULL,
	"address" text,
	"certificate" text,
	"region" text NOT NULL,
	"version" text NOT NULL,
	"capacity" bigint NOT NULL,
	"draining" text,
	"started_at" timestamp (3) with time zone NOT NULL,
	"heartbeat_at" timestamp (3) with time zone NOT NULL,
	"ended_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "phone_archives" (
	"phone_id" text PRIMARY KEY NOT NULL,
	"archive" text NOT NULL,
	"archived_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "phone_copies" (
	"phone_id" text NOT NULL,
	"team_id" text NOT NULL,
	"node_id" text NOT NULL,
	"since" timestamp (3) with time zone NOT NULL,
	"forgotten_at" timestamp (3) with time zone,
	CONSTRAINT "phone_copies_phone_id_node_id_pk" PRIMARY KEY("phone_id","node_id")
);
--> statement-breakpoint
ALTER TABLE "abuse_decisions" ADD COLUMN "team_id" text;--> statement-breakpoint
ALTER TABLE "abuse_decisions" ADD COLUMN "why" text;--> statement-breakpoint
ALTER TABLE "erasure_fence" ADD COLUMN "teams" jsonb DEFAULT '[]'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "identities" ADD COLUMN "checked_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "identities" ADD COLUMN "password_changed_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "phones" ADD COLUMN "node_id" text;--> statement-breakpoint
ALTER TABLE "teams" ADD COLUMN "suspended_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "suspended_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "phone_archives" ADD CONSTRAINT "phone_archives_phone_id_phones_id_fk" FOREIGN KEY ("phone_id") REFERENCES "public"."phones"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "phone_copies" ADD CONSTRAINT "phone_copies_team_id_teams_id_fk" FOREIGN KEY ("team_id") REFERENCES "public"."teams"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "announcements_until" ON "announcements" USING btree ("until");--> statement-breakpoint
CREATE INDEX "backups_started" ON "backups" USING btree ("started_at");--> statement-breakpoint
CREATE UNIQUE INDEX "nodes_name" ON "nodes" USING btree ("name");--> statement-breakpoint
CREATE INDEX "phone_copies_node" ON "phone_copies" USING btree ("node_id");--> statement-breakpoint
CREATE INDEX "phone_copies_team" ON "phone_copies" USING btree ("team_id");--> statement-breakpoint
CREATE INDEX "connect_codes_user" ON "connect_codes" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "connect_codes_team" ON "connect_codes" USING btree ("team_id");--> statement-breakpoint
CREATE INDEX "abuse_decisions_team" ON "abuse_decisions" USING btree ("team_id");--> statement-breakpoint
CREATE INDEX "identities_checked" ON "identities" USING btree ("provider","checked_at");--> statement-breakpoint
CREATE INDEX "jobs_created" ON "jobs" USING btree ("created_at","kind");--> statement-breakpoint
CREATE INDEX "mail_outbox_recipient" ON "mail_outbox" USING btree ("recipient_index");--> statement-breakpoint
CREATE INDEX "phones_started" ON "phones" USING btree ("started_at") WHERE "phones"."started_at" is not null;--> statement-breakpoint
CREATE INDEX "phones_node" ON "phones" USING btree ("node_id","state");--> statement-breakpoint
CREATE INDEX "recordings_flow" ON "recordings" USING btree ("flow_id");--> statement-breakpoint
CREATE INDEX "runs_flow" ON "runs" USING btree ("flow_id");--> statement-breakpoint
CREATE INDEX "stream_tickets_phone" ON "stream_tickets" USING btree ("phone_id");--> statement-breakpoint
CREATE INDEX "stream_tickets_person" ON "stream_tickets" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "uploads_state" ON "uploads" USING btree ("state");--> statement-breakpoint
CREATE INDEX "webhooks_flow" ON "webhooks" USING btree ("flow_id");