//! People by a common first name before a capitalised surname.
//!
//! A short list of names that are no words and no places in the languages we know (no Grace, Mark, Paris or Victoria): with a surname
//! after it, such a name is nearly always a person. It is far from all names, and leans to Europe and the Americas.

use super::Rule;
use crate::checks::any;
use crate::entity::Entity::Person;

macro_rules! first_name_then {
    ($surname:literal) => {
        concat!(
            "(?:",
            r"Aaron|Abdul|Abdullah|Adam|Adrian|Agnes|Ahmed|Aisha|Alan|Albert|Alejandro|Aleksandra|Alessandro|Alex|Alexander",
            r"|Alexandra|Alexis|Alfred|Ali|Alice|Alicia|Alina|Alison|Allison|Amanda|Amber|Amelia|Amina|Amir|Amy|Ana|Anastasia|Andrea",
            r"|Andreas|Andrei|Andrew|Andrzej|Angela|Angelina|Anil|Anita|Anja|Anke|Ann|Anna|Anne|Annette|Annie|Anthony|Antoine|Anton",
            r"|Antonio|Arjun|Arnold|Arthur|Ashley|Astrid|Audrey|Barbara|Beatrice|Beatriz|Ben|Benjamin|Bernard|Beth|Bianca|Birgit",
            r"|Bjarne|Bob|Brandon|Brenda|Brian|Brigitte|Bruce|Bryan|Camille|Carl|Carla|Carlos|Carmen|Carol|Caroline|Catherine|Cathy",
            r"|Cecilia|Chandra|Charles|Charlie|Chen|Chloe|Chris|Christina|Christine|Christopher|Cindy|Claire|Clara|Claudia|Colin",
            r"|Connor|Craig|Cristina|Cynthia|Damien|Daniel|Daniela|Danielle|David|Deborah|Debra|Denise|Dennis|Derek|Diana|Diane",
            r"|Diego|Dimitri|Dirk|Dmitri|Dominik|Donald|Donna|Doris|Dorothy|Douglas|Dylan|Eduardo|Edward|Eleanor|Elena|Elias",
            r"|Elisabeth|Elizabeth|Ella|Ellen|Emil|Emily|Emma|Eric|Erik|Erin|Ernest|Ethan|Eugene|Eva|Evelyn|Fatima|Felix|Fernando",
            r"|Filip|Fiona|Francesca|Francesco|Francis|Francisco|Franz|Fred|Frederick|Friedrich|Gabriel|Gabriela|Gareth|Gary",
            r"|Geoffrey|George|Gerald|Gerard|Gianni|Giorgio|Giovanni|Giulia|Giuseppe|Gloria|Gordon|Greg|Gregory|Greta|Guillaume",
            r"|Gustav|Hannah|Hans|Harold|Harry|Hassan|Heather|Hector|Heidi|Heinrich|Helen|Helena|Helga|Henrik|Henry|Hiroshi|Howard",
            r"|Hugo|Hussein|Ian|Ibrahim|Ingrid|Irene|Irina|Isabel|Isabella|Ivan|Jack|Jacob|Jacqueline|Jacques|Jakob|James|Jamie|Jan",
            r"|Jana|Jane|Janet|Janice|Jason|Javier|Jean|Jeffrey|Jennifer|Jeremy|Jessica|Jill|Jim|Joan|Joanna|Joao|Joe|Joel|Johan",
            r"|Johanna|Johannes|John|Johnny|Jon|Jonas|Jonathan|Jorge|Jose|Joseph|Joshua|Joyce|Juan|Juanita|Judith|Judy|Julia|Julian",
            r"|Julie|Juliette|Justin|J\x{fc}rgen|Kai|Karen|Karin|Karl|Kate|Katherine|Kathleen|Kathryn|Katja|Katrin|Keith|Kelly",
            r"|Kenneth|Kevin|Khalid|Kim|Klaus|Kristina|Kumar|Kyle|Lars|Laura|Lauren|Laurent|Lea|Leah|Lena|Leon|Leonard|Leonardo|Liam",
            r"|Lidia|Linda|Lisa|Lorenzo|Louis|Louise|Luca|Lucas|Lucia|Lucy|Luigi|Luis|Lukas|Lydia|Magdalena|Manuel|Marcel|Marcin",
            r"|Marco|Marcus|Margaret|Maria|Marianne|Marie|Marina|Mario|Marisa|Marjorie|Markus|Marta|Martha|Martin|Martina|Mary|Mateo",
            r"|Mathias|Matthew|Matthias|Maureen|Max|Megan|Mehmet|Melanie|Melissa|Mia|Michael|Michaela|Michel|Michelle|Miguel|Mikhail",
            r"|Mohamed|Mohammad|Mohammed|Monica|Monika|Muhammad|Mustafa|Nadia|Nancy|Natalia|Natalie|Natasha|Nathan|Nicholas|Nicolas",
            r"|Nicole|Niels|Nikolai|Nikos|Nina|Noah|Nora|Norman|Olga|Oliver|Olivia|Omar|Oscar|Otto|Pablo|Pamela|Patricia|Patrick",
            r"|Paul|Paula|Paulo|Pavel|Pedro|Peggy|Peter|Petra|Philip|Philippe|Phillip|Pierre|Piotr|Priya|Rachel|Rafael|Rahul|Raj",
            r"|Ralph|Ramon|Raymond|Rebecca|Regina|Renate|Ricardo|Richard|Rita|Robert|Roberta|Roberto|Robin|Rodrigo|Roger|Roland",
            r"|Ronald|Rosa|Ruth|Ryan|Sabine|Salvatore|Samantha|Samuel|Sandra|Sanjay|Sara|Sarah|Scott|Sean|Sebastian|Sergei|Sergio",
            r"|Shannon|Sharon|Sheila|Shirley|Silvia|Simon|Simone|Sofia|Sonia|Sophia|Sophie|Stefan|Stefanie|Stefano|Stephanie|Stephen",
            r"|Steve|Steven|Stuart|Susan|Susanne|Suzanne|Svetlana|Sylvia|Takashi|Tamara|Tatiana|Teresa|Theodore|Theresa|Thomas|Tim",
            r"|Timothy|Tina|Tobias|Todd|Tom|Tomas|Tomasz|Tony|Tracy|Ulrich|Ursula|Uwe|Valentina|Valerie|Vanessa|Vera|Veronica|Victor",
            r"|Vijay|Viktor|Vincent|Vladimir|Walter|Wanda|Wayne|Wendy|Werner|Wilhelm|William|Wolfgang|Xavier|Yasmin|Yolanda|Yuki",
            r"|Yuri|Yusuf|Yvonne|Zachary|Zoe",
            ")",
            $surname
        )
    };
}

pub(super) const RULES: &[Rule] = &[Rule::new(
    Person,
    first_name_then!(
        r"(?:-\p{Lu}\p{L}{2,14})?(?: \p{Lu}\.?)?(?: (?:van|von|de|der|den|di|da|del|la|le|bin|al|el|dos|du)){0,2} \p{Lu}[\p{L}'-]{1,24}"
    ),
    any,
)
.weight(23)];
