// The vocabulary of the demo corpus: the words of eight kinds of reviews, and how sentences are
// made of them. One long table and nothing else.
#include "data/demo_rules.h"

namespace rlhf {
namespace {

constexpr std::string_view topics[] = {"film",   "meal",    "hotel",  "book",
                                       "gadget", "concert", "museum", "game"};

// clang-format off
constexpr DemoRule rules[] = {
    // Sentences. An alternative stands twice to be drawn twice as often.
    {"completion", 0,
     "{positive}|{positive}|{negative}|{negative}|{mixed_positive}|{mixed_negative}"},
    {"positive", 0,
     "{praise} .|{praise} and {praise} .|{praise} . {praise} .|{praise} , and {praise} .|"
     "{fact} . {praise} .|{fact} and {praise} .|{praise} . {fact} ."},
    {"negative", 0,
     "{complaint} .|{complaint} and {complaint} .|{complaint} . {complaint} .|"
     "{complaint} , and {complaint} .|{fact} . {complaint} .|{fact} and {complaint} .|"
     "{complaint} . {fact} ."},
    {"mixed_positive", 0,
     "{complaint} but {praise} .|{complaint} , but {praise} .|although {complaint} , {praise} .|"
     "{complaint} . however , {praise} .|{praise} , even though {complaint} ."},
    {"mixed_negative", 0,
     "{praise} but {complaint} .|{praise} , but {complaint} .|although {praise} , {complaint} .|"
     "{praise} . however , {complaint} .|{complaint} , even though {praise} ."},

    // Clauses. At most two mild words or one strong word each, so that a conceded clause never
    // outweighs the main one.
    {"praise", 0,
     "the {thing} was {fine}|the {thing} was {fine}|the {things} were {fine}|"
     "the {person} was {fine_person}|the {person} was {fine_person}|"
     "{we} found the {thing} {good}|{we} thought the {things} were {good}|"
     "the {thing} turned out to be {great}|both the {thing} and the {thing} were {good}|"
     "{we} {liked} the {thing}|{we} {loved} the {things}|it had {good} {things}|"
     "{we} {liked} the {thing} because it was {good}|it was a {treat}|the {thing} was a {treat}|"
     "the {thing} {charmed} {us}|nothing about the {thing} was {bad}|"
     "{we} did not {dislike} the {thing}|it was {worth} the {price}|"
     "{we} would {gladly} {return}|{we} can {recommend} it to {anyone}|"
     "in the end {we} felt {happy}|what {great} {things}"},
    {"complaint", 0,
     "the {thing} was {foul}|the {thing} was {foul}|the {things} were {foul}|"
     "the {person} was {foul_person}|the {person} was {foul_person}|"
     "{we} found the {thing} {bad}|{we} thought the {things} were {bad}|"
     "the {thing} turned out to be {awful}|both the {thing} and the {thing} were {bad}|"
     "{we} {disliked} the {thing}|{we} {hated} the {things}|it had {bad} {things}|"
     "{we} {disliked} the {thing} because it was {bad}|it was a {mess}|the {thing} was a {mess}|"
     "the {thing} {annoyed} {us}|nothing about the {thing} was {good}|"
     "{we} did not {like} the {thing}|it was not {worth} the {price}|"
     "{we} would rather {avoid} it|{we} would not {recommend} it to {anyone}|"
     "in the end {we} felt {unhappy}|what {awful} {things}"},
    {"fine", 0,
     "{good}|{good}|{very} {good}|{very} {good}|{great}|{great}|simply {great}|"
     "{good} and {good}|not {bad} at all|never {bad}"},
    {"foul", 0,
     "{bad}|{bad}|{very} {bad}|{very} {bad}|{awful}|{awful}|simply {awful}|"
     "{bad} and {bad}|not {good} at all|not very {good}|never {good}|hardly {good}"},
    {"fine_person", 0,
     "{good_person}|{good_person}|{very} {good_person}|{great}|"
     "{good_person} and {good_person}|never {bad_person}"},
    {"foul_person", 0,
     "{bad_person}|{bad_person}|{very} {bad_person}|{awful}|"
     "{bad_person} and {bad_person}|not {good_person}|not very {good_person}"},

    // Words without sentiment.
    {"we", 0, "we|i"},
    {"us", 0, "us|me|everyone"},
    {"very", 0, "very|really|quite|rather|so|truly|surprisingly|unusually"},
    {"price", 0, "money|price|time|wait|effort"},
    {"anyone", 0, "anyone|a friend|others|my family|the neighbours"},
    {"who", 0, "we|we|i|i|our family|three of us|a friend and i|my sister and i|my parents and i"},
    {"when", 0,
     "on monday|on tuesday|on wednesday|on thursday|on friday|on saturday|on sunday|last week|"
     "last month|last night|yesterday|over the holidays|at the weekend|after work|in march|in june|"
     "in october|this morning|this week"},

    // Words with sentiment for everything.
    {"great", 1.5,
     "great|superb|wonderful|excellent|fantastic|brilliant|amazing|perfect|outstanding|marvellous"},
    {"awful", -1.5,
     "awful|terrible|horrible|dreadful|atrocious|appalling|miserable|hideous|abysmal|pathetic"},
    {"good_person", 1, "friendly|kind|attentive|helpful|polite|cheerful|patient"},
    {"bad_person", -1, "rude|careless|grumpy|impatient|unfriendly|arrogant|lazy"},
    {"good_artist", 1, "charming|talented|convincing|charismatic|likeable|passionate"},
    {"bad_artist", -1, "wooden|annoying|unconvincing|irritating|bland|careless"},
    {"liked", 1, "liked|enjoyed|appreciated|admired"},
    {"like", 1, "like|enjoy|appreciate"},
    {"loved", 1.5, "loved|adored"},
    {"disliked", -1, "disliked|resented|regretted"},
    {"dislike", -1, "dislike|resent|regret"},
    {"hated", -1.5, "hated|loathed|despised"},
    {"charmed", 1, "impressed|delighted|charmed|pleased|thrilled"},
    {"annoyed", -1, "annoyed|bored|disappointed|irritated|frustrated"},
    {"treat", 1.5, "delight|joy|treat|gem|triumph|masterpiece"},
    {"mess", -1.5, "mess|disaster|letdown|failure|nightmare|shame"},
    {"worth", 1, "worth"},
    {"gladly", 1, "gladly|happily"},
    {"recommend", 1, "recommend"},
    {"avoid", -1, "avoid|skip|forget"},
    {"happy", 1, "happy|satisfied|grateful|content"},
    {"unhappy", -1, "unhappy|angry|cheated|dissatisfied"},

    {"film.opening", 0,
     "{who} {saw} a {kind} about a {hero} .|{who} {saw} the new {kind} {when} .|"
     "{when} {who} {saw} a {kind} {where} ."},
    {"film.saw", 0, "watched|saw|went to see"},
    {"film.kind", 0, "film|comedy|thriller|western|drama|cartoon|musical|crime film|horror film"},
    {"film.hero", 0, "lost dog|lawyer|pilot|bank robber|doctor|train driver|detective|school band"},
    {"film.where", 0, "at the cinema|at home|in town|on the big screen|on the plane"},
    {"film.thing", 0, "plot|acting|story|camera work|ending|music|script|dialogue|opening scene"},
    {"film.things", 0, "jokes|songs|costumes|effects|last scenes|fight scenes"},
    {"film.person", 0, "lead actor|lead actress|villain|hero|director"},
    {"film.good", 1, "gripping|moving|clever|funny|original|touching|good"},
    {"film.bad", -1, "dull|predictable|silly|clumsy|shallow|tedious|bad"},
    {"film.good_person", 0, "{good_artist}"},
    {"film.bad_person", 0, "{bad_artist}"},
    {"film.return", 0, "watch it again|see it again"},
    {"film.fact", 0, "it ran for two hours|we sat in the third row|the room was half full|"
     "it had subtitles|it was set in the north"},

    {"meal.opening", 0,
     "{who} {ate} at the {kind} {where} .|{when} {who} {ate} at a {kind} .|"
     "{who} ordered the {dish} at the {kind} ."},
    {"meal.ate", 0, "ate|had lunch|had dinner|met"},
    {"meal.kind", 0, "italian place|noodle bar|steak house|indian restaurant|cafe|fish restaurant|"
     "pizza place|thai restaurant"},
    {"meal.where", 0, "by the station|near the river|on the corner|next to the market|in town"},
    {"meal.dish", 0, "soup of the day|lunch menu|set menu|daily special"},
    {"meal.thing", 0, "soup|salad|bread|fish|dessert|pasta|curry|sauce|main course|coffee"},
    {"meal.things", 0, "noodles|vegetables|starters|potatoes|dumplings|side dishes"},
    {"meal.person", 0, "waiter|waitress|cook|owner|staff"},
    {"meal.good", 1, "delicious|tasty|fresh|fragrant|delicate|nice"},
    {"meal.bad", -1, "bland|greasy|stale|tasteless|lukewarm|burnt"},
    {"meal.return", 0, "eat there again|go back|come again"},
    {"meal.fact", 0, "we sat near the window|the bill came after an hour|there were ten tables|"
     "we paid by card|we also ordered water"},

    {"hotel.opening", 0,
     "{who} stayed at a {kind} {where} .|{who} spent {nights} at the {kind} {when} .|"
     "{when} {who} stayed at a {kind} {where} ."},
    {"hotel.kind", 0, "hotel|guest house|hostel|motel|country inn|holiday cottage"},
    {"hotel.where", 0, "by the sea|near the airport|in the mountains|in the centre|at the lake"},
    {"hotel.nights", 0, "one night|two nights|three nights|a week"},
    {"hotel.thing", 0, "room|bed|bathroom|breakfast|lobby|balcony|pool|garden|view"},
    {"hotel.things", 0, "beds|towels|rooms|corridors|pillows|windows"},
    {"hotel.person", 0, "receptionist|porter|owner|cleaner|staff"},
    {"hotel.good", 1, "clean|comfortable|cosy|spacious|lovely|pleasant"},
    {"hotel.bad", -1, "dirty|noisy|shabby|cramped|damp|smelly"},
    {"hotel.return", 0, "stay there again|go back|come again"},
    {"hotel.fact", 0, "our room was on the second floor|it had forty rooms|"
     "the bus stopped outside|breakfast began at seven|we came by train"},

    {"book.opening", 0,
     "{who} {bought} a {kind} about a {hero} .|{when} {who} {bought} the new {kind} .|"
     "{who} {bought} a {kind} about a {hero} {when} ."},
    {"book.bought", 0, "read|read|bought|borrowed|finished"},
    {"book.kind", 0, "novel|crime novel|biography|memoir|travel book|book of stories"},
    {"book.hero", 0, "sailor|painter|nurse|small village|lighthouse keeper|young chemist|farmer|"
     "chess player"},
    {"book.thing", 0, "story|plot|first chapter|ending|style|prose|translation|last page"},
    {"book.things", 0, "dialogues|chapters|pictures|letters|descriptions|middle chapters"},
    {"book.person", 0, "narrator|author|main character|hero|detective"},
    {"book.good", 1, "engaging|witty|thoughtful|vivid|elegant|insightful"},
    {"book.bad", -1, "boring|confusing|pretentious|repetitive|lifeless|dull"},
    {"book.good_person", 0, "{good_artist}"},
    {"book.bad_person", 0, "{bad_artist}"},
    {"book.return", 0, "read it again|read the next one"},
    {"book.fact", 0, "it has three hundred pages|it took me a week|i read it on the train|"
     "it is the second of three|the cover is blue"},

    {"gadget.opening", 0,
     "{who} bought a {kind} {when} .|{who} {tried} the new {kind} {when} .|"
     "the {kind} came by post {when} .|{when} {who} ordered a {kind} {where} ."},
    {"gadget.tried", 0, "tried|tested|unpacked|set up"},
    {"gadget.kind", 0, "phone|laptop|camera|tablet|radio|printer|watch|vacuum cleaner|"
     "coffee machine|bicycle lamp"},
    {"gadget.where", 0, "online|in town|from a shop"},
    {"gadget.thing", 0, "screen|battery|keyboard|case|charger|software|menu|motor|manual"},
    {"gadget.things", 0, "buttons|controls|settings|cables|instructions|spare parts"},
    {"gadget.person", 0, "seller|support team|shop assistant|driver"},
    {"gadget.good", 1, "reliable|fast|sturdy|handy|precise|useful"},
    {"gadget.bad", -1, "slow|flimsy|unreliable|faulty|useless|fiddly"},
    {"gadget.return", 0, "buy it again|order one more"},
    {"gadget.fact", 0, "it weighs two pounds|it comes in grey|i use it every day|"
     "it came in a brown box|we charged it overnight"},

    {"concert.opening", 0,
     "{who} heard a {kind} {where} .|{when} {who} went to a {kind} {where} .|"
     "{who} had tickets for the {kind} {when} ."},
    {"concert.kind", 0, "jazz concert|rock concert|piano recital|folk concert|choir evening|opera|"
     "blues night|string quartet"},
    {"concert.where", 0, "in the park|at the town hall|in a church|at the club|downtown"},
    {"concert.thing", 0, "sound|singing|first song|lighting|encore|rhythm|second half|last piece"},
    {"concert.things", 0, "songs|solos|drums|violins|old songs|duets"},
    {"concert.person", 0, "singer|drummer|guitarist|conductor|band"},
    {"concert.good", 1, "lively|powerful|stirring|energetic|beautiful|inspiring"},
    {"concert.bad", -1, "monotonous|sloppy|flat|shrill|tiresome|lifeless"},
    {"concert.good_person", 0, "{good_artist}"},
    {"concert.bad_person", 0, "{bad_artist}"},
    {"concert.return", 0, "hear them again|go again"},
    {"concert.fact", 0, "it began at eight|we stood near the stage|they played for an hour|"
     "there was one break|the hall was half full"},

    {"museum.opening", 0,
     "{who} visited the {kind} {where} .|{when} {who} went to the {kind} .|"
     "{who} spent {hours} at the {kind} {when} ."},
    {"museum.kind", 0, "art museum|toy museum|castle|science museum|railway museum|zoo|"
     "history museum|sculpture park"},
    {"museum.where", 0, "in the capital|near the harbour|across the river|downtown"},
    {"museum.hours", 0, "an hour|two hours|half a day|the afternoon"},
    {"museum.thing", 0, "exhibition|collection|garden|cafe|main hall|audio guide|tour|gift shop"},
    {"museum.things", 0, "paintings|old machines|displays|exhibits|models|photographs"},
    {"museum.person", 0, "guide|guard|ticket clerk|lady at the desk"},
    {"museum.good", 1, "fascinating|inspiring|impressive|informative|beautiful|interesting"},
    {"museum.bad", -1, "dusty|boring|overcrowded|overpriced|dreary|confusing"},
    {"museum.return", 0, "visit it again|go back"},
    {"museum.fact", 0, "it has three floors|the tickets cost ten dollars|it opens at nine|"
     "we left our coats at the door|a school class was there"},

    {"game.opening", 0,
     "{who} played a {kind} {when} .|{when} {who} tried the new {kind} .|"
     "{who} played a {kind} about a {hero} ."},
    {"game.kind", 0, "board game|card game|racing game|puzzle game|video game|strategy game"},
    {"game.hero", 0, "lost city|space station|royal court|haunted farm|desert island|robot"},
    {"game.thing", 0, "story|soundtrack|first level|last level|artwork|box|theme|second round"},
    {"game.things", 0, "rules|puzzles|cards|levels|characters|maps"},
    {"game.person", 0, "hero|main character|designer|rival"},
    {"game.good", 1, "clever|smooth|polished|inventive|rewarding|fun"},
    {"game.bad", -1, "buggy|repetitive|frustrating|unfair|clumsy|tedious"},
    {"game.good_person", 0, "{good_artist}"},
    {"game.bad_person", 0, "{bad_artist}"},
    {"game.return", 0, "play it again|play it once more"},
    {"game.fact", 0, "one round takes an hour|it is for four players|we played until midnight|"
     "it came out in spring|there are two teams"},
};
// clang-format on

}  // namespace

std::span<const std::string_view> demo_topics() { return topics; }

std::span<const DemoRule> demo_rules() { return rules; }

}  // namespace rlhf
