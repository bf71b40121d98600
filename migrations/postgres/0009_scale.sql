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
ALTER TABLE "phones" ADD COLUMN "node_id" text;--> statement-breakpoint
CREATE UNIQUE INDEX "nodes_name" ON "nodes" USING btree ("name");--> statement-breakpoint
CREATE INDEX "phones_node" ON "phones" USING btree ("node_id","state");