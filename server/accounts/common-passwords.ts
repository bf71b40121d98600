/**
 * What is guessed first, as far as it has twelve characters or more: phrases, and words that common passwords are put
 * together from. Digits and signs around them and digits in place of letters are taken off before looking here.
 */
export const COMMON_PASSWORDS: readonly string[] = `
correcthorsebatterystaple|correct horse battery staple|correct-horse-battery-staple|
thequickbrownfox|the quick brown fox|quickbrownfoxjumps|loremipsumdolor|lorem ipsum dolor|
tobeornottobe|to be or not to be|itwasthebestoftimes|onceuponatime|once upon a time|maytheforcebewithyou|
may the force be with you|livelonganprosper|livelongandprosper|winteriscoming|winter is coming|hakunamatata|
supercalifragilisticexpialidocious|abracadabra123|opensesame123|open sesame|hocuspocus123|
letmeinplease|let me in please|pleaseletmein|please let me in|passwordpassword|mypasswordis|my password is|
thisismypassword|this is my password|thisisapassword|this is a password|notapassword|not a password|
yourpasswordhere|passwordforgotten|forgotpassword|changemeplease|change me please|changepassword|newpassword|
defaultpassword|temporarypassword|administrator|superadministrator|rootpassword|masterpassword|
iloveyousomuch|iloveyouforever|i love you forever|iloveyoubaby|ilovemyfamily|ilovemymom|ilovejesus|jesuschrist|
jesusislord|jesus is lord|godisgreat|god is great|godblessyou|christislove|inshaallah|alhamdulillah|
manchesterunited|realmadrid1902|barcelonafc|liverpoolfc|chelseafootball|arsenalfc1886|juventusturin|borussiadortmund|bayernmuenchen|
dallascowboys|newyorkyankees|bostonredsox|losangeleslakers|pittsburghsteelers|greenbaypackers|philadelphiaeagles|
harrypotter|starwarsrules|lordoftherings|gameofthrones|callofduty|leagueoflegends|worldofwarcraft|counterstrike|grandtheftauto|
pokemonpikachu|minecraftsteve|fortniteking|spongebobsquarepants|mickeymouse|donaldduck|hellokitty|
unitedstatesofamerica|newyorkcity|losangeles|sanfrancisco|greatbritain|united kingdom|deutschland|
computerscience|internetexplorer|microsoftwindows|androidphone|samsunggalaxy|appleiphone|googlechrome|
qwertyuiopasdf|qwertzuiopasdf|azertyuiopqsdf|asdfghjklqwerty|zaq12wsxcde3|1qaz2wsx3edc|qazwsxedcrfv|1q2w3e4r5t6y|
q1w2e3r4t5y6|zxcvbnmasdfgh|123456abcdef|abcdef123456|a1b2c3d4e5f6|1a2b3c4d5e6f|aa123456aa123|password1234|
qwerty123456|123qweasdzxc|qweasdzxc123|1qazxsw23edc|zaqxswcdevfr|mnbvcxzlkjhgf|poiuytrewqlkj|
whateverwhatever|trustno1trustno1|bailiffbailiff|testtesttest|adminadminadmin|guestguestguest|rootrootroot|
welcomewelcome|welcometothejungle|welcome to the jungle|goodmorning|goodnight|goodbyeworld|helloworld|hello world|
happybirthday|happy birthday|merrychristmas|happynewyear|summertime|springtime|wintertime|christmastime|
myfirstpassword|mysecretpassword|topsecret|top secret|secretpassword|secretsecret|donotenter|
cheeseburger|chocolatecake|peanutbutter|strawberry|butterfly|basketball|footballplayer|baseballbat|motorcycle|
princessprincess|sunshinesunshine|dragondragon|monkeymonkey|shadowshadow|masterchief|darthvader|batmanrobin|supermanman|
neverforgetyou|neverforget|neversaynever|nevergiveup|never give up|carpediem|hasta la vista|hastalavista|
ichliebedich|ich liebe dich|jetaimetoujours|je taime|teamomucho|te amo mucho|tequieromucho|te quiero mucho|tiamotanto|euteamo|
contrasenasegura|contrasena|motdepasse|mot de passe|passwort123|meinpasswort|mein passwort|passwortpasswort|senhasenha|parolaparola|haslohaslo|
perchperchperch|cloudphone|cloudphones|cloud phone|mycloudphone`
  .split("|")
  .map((phrase) => phrase.trim())
  .filter((phrase) => phrase !== "");

/** A password that is nothing but these, one after another, is as common as they are. */
export const COMMON_WORDS: readonly string[] = `
password passwort passwd pass word admin root user guest test login letmein welcome hello hallo hola bonjour world
love lovely iloveyou loveyou you forever baby angel sexy secret master monkey dragon shadow sunshine princess
football baseball basketball soccer hockey superman batman spiderman pokemon starwars killer hunter ranger tiger
summer winter spring autumn monday friday january february march april june july august september october november december
qwerty qwertz azerty asdf asdfgh zxcv zxcvbn qazwsx abc abcd abc123 123 1234 12345 123456 1234567 12345678 123456789 1234567890
jesus christ god mother father family mom dad daddy mommy friend friends money cash freedom computer internet
michael jordan jennifer jessica ashley daniel thomas robert charlie maria anna george andrew joshua matthew
apple google facebook samsung iphone android windows microsoft cookie chocolate cheese coffee flower purple orange yellow
blue green black white silver golden diamond ginger pepper buster bailey maggie tigger snoopy
change changeme default temp temporary new old my the is this me please now go yes no ok cool good best great super
server phone cloud perch demo example sample trustno1 access system manager service support
team amour azul amor liebe dich ich`
  .split(/\s+/)
  .filter((word) => word !== "");
