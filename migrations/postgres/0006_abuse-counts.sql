CREATE TABLE "abuse_counts" (
	"key" text PRIMARY KEY NOT NULL,
	"count" bigint NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE INDEX "abuse_counts_expiry" ON "abuse_counts" USING btree ("expires_at");