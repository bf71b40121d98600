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
ALTER TABLE "recording_steps" ADD CONSTRAINT "recording_steps_recording_id_recordings_id_fk" FOREIGN KEY ("recording_id") REFERENCES "public"."recordings"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "recordings" ADD CONSTRAINT "recordings_team_id_teams_id_fk" FOREIGN KEY ("team_id") REFERENCES "public"."teams"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "recordings" ADD CONSTRAINT "recordings_created_by_users_id_fk" FOREIGN KEY ("created_by") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "recordings" ADD CONSTRAINT "recordings_flow_id_flows_id_fk" FOREIGN KEY ("flow_id") REFERENCES "public"."flows"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "recording_steps_changed" ON "recording_steps" USING btree ("recording_id","changed");--> statement-breakpoint
CREATE UNIQUE INDEX "recordings_running" ON "recordings" USING btree ("phone_id") WHERE "recordings"."state" = 'recording';--> statement-breakpoint
CREATE INDEX "recordings_person" ON "recordings" USING btree ("created_by","updated_at");