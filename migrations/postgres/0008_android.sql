CREATE TABLE "android_devices" (
	"id" text PRIMARY KEY NOT NULL,
	"endpoint" text NOT NULL,
	"label" text NOT NULL,
	"region" text,
	"phone_id" text,
	"added_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "partner_charges" (
	"id" text PRIMARY KEY NOT NULL,
	"vendor_id" text NOT NULL,
	"charge_type" bigint NOT NULL,
	"amount" text NOT NULL,
	"used_minutes" bigint NOT NULL,
	"at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "partner_hints" (
	"hash" text PRIMARY KEY NOT NULL,
	"at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "partner_locks" (
	"path" text PRIMARY KEY NOT NULL,
	"until" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "partner_phones" (
	"phone_id" text PRIMARY KEY NOT NULL,
	"vendor_id" text,
	"vendor_state" text,
	"created_at" timestamp (3) with time zone NOT NULL,
	"removed_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "partner_strays" (
	"vendor_id" text PRIMARY KEY NOT NULL,
	"seen_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "phone_containers" (
	"phone_id" text PRIMARY KEY NOT NULL,
	"host_id" text NOT NULL,
	"volume" text NOT NULL,
	"image" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"made_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "phone_hosts" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"address" text NOT NULL,
	"cert_folder" text,
	"region" text NOT NULL,
	"capacity" bigint NOT NULL,
	"draining" boolean NOT NULL,
	"added_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "uploads" (
	"id" text PRIMARY KEY NOT NULL,
	"team_id" text NOT NULL,
	"created_by" text NOT NULL,
	"phone_id" text NOT NULL,
	"purpose" text NOT NULL,
	"name" text NOT NULL,
	"bytes" bigint NOT NULL,
	"received" bigint NOT NULL,
	"state" text NOT NULL,
	"message" text,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "phones" ADD COLUMN "model" text;--> statement-breakpoint
ALTER TABLE "phones" ADD COLUMN "screen_width" bigint;--> statement-breakpoint
ALTER TABLE "phones" ADD COLUMN "screen_height" bigint;--> statement-breakpoint
ALTER TABLE "phones" ADD COLUMN "unreachable_since" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "android_devices" ADD CONSTRAINT "android_devices_phone_id_phones_id_fk" FOREIGN KEY ("phone_id") REFERENCES "public"."phones"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "phone_containers" ADD CONSTRAINT "phone_containers_phone_id_phones_id_fk" FOREIGN KEY ("phone_id") REFERENCES "public"."phones"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "phone_containers" ADD CONSTRAINT "phone_containers_host_id_phone_hosts_id_fk" FOREIGN KEY ("host_id") REFERENCES "public"."phone_hosts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "uploads" ADD CONSTRAINT "uploads_team_id_teams_id_fk" FOREIGN KEY ("team_id") REFERENCES "public"."teams"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "uploads" ADD CONSTRAINT "uploads_created_by_users_id_fk" FOREIGN KEY ("created_by") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "uploads" ADD CONSTRAINT "uploads_phone_id_phones_id_fk" FOREIGN KEY ("phone_id") REFERENCES "public"."phones"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "android_devices_endpoint" ON "android_devices" USING btree ("endpoint");--> statement-breakpoint
CREATE UNIQUE INDEX "android_devices_phone" ON "android_devices" USING btree ("phone_id");--> statement-breakpoint
CREATE INDEX "partner_charges_phone" ON "partner_charges" USING btree ("vendor_id","at");--> statement-breakpoint
CREATE INDEX "partner_charges_at" ON "partner_charges" USING btree ("at");--> statement-breakpoint
CREATE INDEX "partner_hints_at" ON "partner_hints" USING btree ("at");--> statement-breakpoint
CREATE INDEX "partner_locks_until" ON "partner_locks" USING btree ("until");--> statement-breakpoint
CREATE UNIQUE INDEX "partner_phones_vendor" ON "partner_phones" USING btree ("vendor_id");--> statement-breakpoint
CREATE INDEX "partner_phones_removed" ON "partner_phones" USING btree ("removed_at");--> statement-breakpoint
CREATE INDEX "partner_strays_seen" ON "partner_strays" USING btree ("seen_at");--> statement-breakpoint
CREATE INDEX "phone_containers_host" ON "phone_containers" USING btree ("host_id");--> statement-breakpoint
CREATE UNIQUE INDEX "phone_hosts_name" ON "phone_hosts" USING btree ("name");--> statement-breakpoint
CREATE INDEX "uploads_phone" ON "uploads" USING btree ("phone_id");--> statement-breakpoint
CREATE INDEX "uploads_team" ON "uploads" USING btree ("team_id");--> statement-breakpoint
CREATE INDEX "uploads_person" ON "uploads" USING btree ("created_by");--> statement-breakpoint
CREATE INDEX "uploads_created" ON "uploads" USING btree ("created_at");