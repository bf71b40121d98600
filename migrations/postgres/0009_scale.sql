CREATE TABLE "phone_archives" (
	"phone_id" text PRIMARY KEY NOT NULL,
	"archive" text NOT NULL,
	"archived_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "phone_archives" ADD CONSTRAINT "phone_archives_phone_id_phones_id_fk" FOREIGN KEY ("phone_id") REFERENCES "public"."phones"("id") ON DELETE cascade ON UPDATE no action;